"""Manifests as they lie in the index file: what routing needs of all at once, each in full when it is asked for.

A project may have ten thousand drivers, and a process uses few of them: reading all in full would be most of its
start. The file is JSON for people, each manifest over many lines; since JSON text holds no line end of its own inside
a string, the lines between two manifests are found without reading JSON. Pure: bytes in, values out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

from vextir_os.driverkit.manifest import Form, Manifest
from vextir_os.events.jsonio import loads

FIRST_FIELDS = ("id", "capabilities", "form", "kind")
"""How each manifest begins in the file; all but the last are its head."""

OPENING = b'\n  "manifests": ['
"""What stands before the list in the file."""

_END, _BETWEEN, _LAST = b"\n    }", b"\n    },\n    {", b"\n    }\n  ]"
_END_OF_HEAD = b',\n      "kind": '

Read = Callable[[dict[str, Any]], Manifest]


class Head(NamedTuple):
    """What a start needs of every manifest."""

    id: str
    capabilities: tuple[str, ...]
    form: Form


def heads_of(manifests: Iterable[Manifest]) -> Iterable[Head]:
    """Return the heads of manifests, in their order; those of an index file without decoding them."""
    if isinstance(manifests, StoredManifests):
        return manifests.heads
    return [Head(each.id, each.capabilities, each.form) for each in manifests]


class StoredManifests(Sequence[Manifest]):
    """The manifests of an index file, in its order; each is decoded once, when it is first asked for.

    Equal to any sequence of the same manifests. Safe from several threads.

    Args:
        raw: The bytes of the file, laid out as `json.dumps(indent=2)` does it.
        begin: Where the list is in it: right behind `OPENING`.
        read: Makes a manifest of its JSON object.
    """

    __slots__ = ("_raw", "_read", "_ready", "_spans", "heads")

    def __init__(self, raw: bytes, begin: int, read: Read) -> None:
        self._raw = raw
        self._read = read
        self._spans = [*_spans(raw, begin)]
        self._ready: dict[int, Manifest] = {}
        self.heads = tuple(_head(raw, first) for first, _ in self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, at: int) -> Manifest: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Manifest]: ...
    def __getitem__(self, at: int | slice) -> Manifest | Sequence[Manifest]:
        """Return a manifest by its place from 0. Raises `StaleIndexError` where it is not as our build writes them."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        found = self._ready.get(place)
        if found is None:
            first, last = self._spans[place]
            found = self._ready.setdefault(place, self._read(loads(self._raw[first:last])))
        return found

    def __iter__(self) -> Iterator[Manifest]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as of every sequence that compares by content

    @property
    def decoded(self) -> int:
        """How many of them have been asked for."""
        return len(self._ready)


def _spans(raw: bytes, begin: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where each object of the list goes, braces included."""
    if raw.startswith(b"]", begin):
        return
    first = raw.index(b"{", begin)
    while (found := raw.find(_BETWEEN, first)) >= 0:
        yield first, found + len(_END)
        first = found + len(_BETWEEN) - 1
    yield first, raw.index(_LAST, first) + len(_END)


def _head(raw: bytes, first: int) -> Head:
    fields = loads(raw[first : raw.index(_END_OF_HEAD, first)] + b"}")
    return Head(fields["id"], tuple(fields["capabilities"]), fields["form"])
