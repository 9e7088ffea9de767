"""Which policies an action may concern, found without looking at the others. Pure.

An index may name too many, never too few; the engine compares what it names.
"""

from collections.abc import Iterator, Sequence

from vextir_os.events.patterns import PatternTrie
from vextir_os.policy.grammar import ActionPattern, split


class PrefixTable:
    """Policies, as numbers, by the segments of a pattern before its first glob; a look-up costs by the depth."""

    def __init__(self) -> None:
        self._policies: dict[tuple[str, ...], list[int]] = {}

    def add(self, segments: Sequence[str], policy: int) -> None:
        """Add a policy, by its number, under a pattern's segments."""
        literal = next((at for at, segment in enumerate(segments) if "*" in segment), len(segments))
        self._policies.setdefault(tuple(segments[:literal]), []).append(policy)

    def find(self, segments: Sequence[str]) -> Iterator[int]:
        """Yield the policies whose literal beginning these segments have."""
        for length in range(len(segments) + 1):
            yield from self._policies.get(tuple(segments[:length]), ())


class VerbIndex:
    """The policies of one verb: by resource, or, where a pattern begins with a glob, by the type of the event."""

    def __init__(self) -> None:
        self._by_resource = PrefixTable()
        self._by_event: PatternTrie[int] = PatternTrie()

    def add(self, pattern: ActionPattern, events: Sequence[str], policy: int) -> None:
        """Add a policy, by its number, under one of its action patterns; `events` are its patterns of event types."""
        segments = _outermost_first(pattern.verb, pattern.segments)
        if "*" in segments[0]:
            for event in events:
                self._by_event.add(event, policy)
        else:
            self._by_resource.add(segments, policy)

    def find(self, verb: str, resource: str, event_type: str) -> Iterator[int]:
        """Yield the policies that may concern the action, some of them more than once."""
        yield from self._by_resource.find(_outermost_first(verb, split(verb, resource)))
        for _, policy in self._by_event.match(event_type):
            yield policy


def _outermost_first(verb: str, segments: Sequence[str]) -> Sequence[str]:
    # A host's globs stand at its beginning: `*.example.com`.
    return segments[::-1] if verb == "http" else segments
