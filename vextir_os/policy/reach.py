"""Whether policies could ever allow what a driver asks for: what none allows is a slip in the one or the other. Pure.

It errs on the side of "could": users, tenants, event types and conditions are not judged, since anybody may send
anything.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from vextir_os.driverkit.manifest import Manifest
from vextir_os.policy.globs import DEEP, matches_segments
from vextir_os.policy.grammar import ActionPattern, parse_action
from vextir_os.policy.model import Bundle
from vextir_os.policy.rule import Rule


def unreachable(bundle: Bundle, manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, str]]:
    """Yield what drivers need and no policy can ever allow: their permissions, and `process:` of what they handle."""
    by_verb: dict[str, list[Rule]] = {}
    for policy in bundle.policies:
        if policy.mode == "enforce":
            rule = Rule.of(policy)
            for verb in {action.verb for action in rule.actions}:
                by_verb.setdefault(verb, []).append(rule)
    for manifest in manifests:
        for action in (*(f"process:{capability}" for capability in manifest.capabilities), *manifest.permissions):
            wanted = parse_action(action)
            rules = by_verb.get(wanted.verb, ())
            # An event is let in before anybody knows which drivers handle it.
            own = wanted.verb != "process"
            among = [rule for rule in rules if rule.drivers is None or (own and _concerns(rule, manifest))]
            if not _may_be_allowed(wanted, among):
                yield manifest, action


def _concerns(rule: Rule, manifest: Manifest) -> bool:
    return any(driver.matches(manifest.id, manifest.kind) for driver in rule.drivers or ())


def _may_be_allowed(wanted: ActionPattern, rules: Sequence[Rule]) -> bool:
    denied_from = max((rule.policy.priority for rule in rules if _denies_all(rule, wanted)), default=-1)
    return any(
        rule.policy.effect == "allow"
        and rule.policy.priority > denied_from
        and any(meets(wanted, action) for action in rule.actions)
        for rule in rules
    )


def _denies_all(rule: Rule, wanted: ActionPattern) -> bool:
    """Whether a policy denies every action of the pattern, whoever asks, whatever the event and its data."""
    everybody = rule.users is None and rule.tenants is None and rule.events is None and rule.condition is None
    return rule.policy.effect == "deny" and everybody and any(_covers(action, wanted) for action in rule.actions)


def _covers(outer: ActionPattern, inner: ActionPattern) -> bool:
    if outer.verb != inner.verb:
        return False
    if outer.segments in (inner.segments, (DEEP,)):
        return True
    # A single glob matches the text `**` and not all that it stands for.
    return DEEP not in inner.segments and matches_segments(outer.segments, inner.segments)


def meets(one: ActionPattern, other: ActionPattern) -> bool:
    """Whether there is an action that both patterns match."""
    return one.verb == other.verb and _meet(one.segments, other.segments, _segments_meet)


def _segments_meet(one: str, other: str) -> bool:
    return one == other or _meet(_parts(one), _parts(other), str.__eq__)


def _parts(glob: str) -> list[str]:
    """Return the characters of a glob of one segment, its `*` as what stands for any number of them."""
    return [DEEP if char == "*" else char for char in glob]


def _meet(one: Sequence[str], other: Sequence[str], same: Callable[[str, str], bool]) -> bool:
    """Whether two sequences in which `**` stands for any number of parts have a sequence in common.

    A grid of how far both have come: no pattern takes longer than the product of both lengths.
    """
    row = [True] + [False] * len(other)
    for at in range(len(one) + 1):
        below = [False] * (len(other) + 1)
        for there, reached in enumerate(row):
            if not reached:
                continue
            left, right = at < len(one), there < len(other)
            if (left and one[at] == DEEP) or (right and other[there] == DEEP):
                row[there + right] = True
                below[there] = left
            elif left and right and same(one[at], other[there]):
                below[there + 1] = True
        if at < len(one):
            row = below
    return row[-1]
