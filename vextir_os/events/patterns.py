"""Patterns over dotted types: `*` is one segment, `**` any number, zero included. A trie finds all that match. Pure."""

from collections.abc import Iterator
from itertools import groupby
from typing import Generic, TypeVar

from vextir_os.events.names import check_pattern

V = TypeVar("V")
_CACHED_TYPES = 4096
_NAME, _ONE, _DEEP = 0, 1, 2
_RANKS = {"*": _ONE, "**": _DEEP}


def matches(pattern: str, type_: str) -> bool:
    """Whether one type matches one pattern. For many patterns use `PatternTrie`."""
    trie: PatternTrie[bool] = PatternTrie()
    trie.add(pattern, True)
    return bool(trie.match(type_))


def specificity(pattern: str) -> tuple[int, ...]:
    """Return a sort key: the most specific pattern first.

    More names come first, then more `*`, then fewer gaps that `**` opens, then, segment by segment from the left, a
    name, `*`, `**`. So of two patterns of which one matches a part of what the other matches, the narrower is first.
    """
    ranks = [_RANKS.get(segment, _NAME) for segment in pattern.split(".")]
    open_gaps = sum(_DEEP in gap for wild, gap in groupby(ranks, key=bool) if wild)
    return (-ranks.count(_NAME), -ranks.count(_ONE), open_gaps, *ranks)


class _Node(Generic[V]):
    __slots__ = ("children", "deep", "one", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node[V]] = {}
        self.one: _Node[V] | None = None
        self.deep: _Node[V] | None = None
        self.values: list[tuple[str, V]] = []


class PatternTrie(Generic[V]):
    """Values by pattern. Looking up a type costs by the depth of the type, not by the number of patterns.

    Patterns without `*` are types, kept in a table beside the trie: most are, and to add one of ten thousand is cheap.
    A pattern may have several values. Not safe for changes from several threads.
    """

    def __init__(self) -> None:
        self._root: _Node[V] = _Node()
        self._exact: dict[str, list[tuple[str, V]]] = {}
        self._wild: set[str] = set()
        self._found: dict[str, tuple[tuple[str, V], ...]] = {}

    def add(self, pattern: str, value: V) -> None:
        """Add a value under a pattern. Raises `PatternError` when the pattern's syntax is wrong."""
        if "*" not in check_pattern(pattern):
            self._exact.setdefault(pattern, []).append((pattern, value))
        else:
            self._wild.add(pattern)
            node = self._root
            for segment in pattern.split("."):
                node = self._step(node, segment)
            node.values.append((pattern, value))
        self._found.clear()

    @property
    def patterns(self) -> frozenset[str]:
        """All patterns that were added."""
        return frozenset((*self._exact, *self._wild))

    def match(self, type_: str) -> tuple[tuple[str, V], ...]:
        """Return `(pattern, value)` of every pattern that matches, the most specific first, then as added."""
        found = self._found.get(type_)
        if found is None:
            wild = sorted(self._walk(type_.split(".")), key=lambda hit: specificity(hit[0]))
            found = (*self._exact.get(type_, ()), *wild)
            if len(self._found) >= _CACHED_TYPES:
                self._found.clear()
            self._found[type_] = found
        return found

    @staticmethod
    def _step(node: _Node[V], segment: str) -> _Node[V]:
        if segment == "*":
            node.one = node.one or _Node()
            return node.one
        if segment == "**":
            node.deep = node.deep or _Node()
            return node.deep
        return node.children.setdefault(segment, _Node())

    def _walk(self, segments: list[str]) -> Iterator[tuple[str, V]]:
        # Each (node, position) is looked at once, so `**.**.**` cannot blow up.
        seen: set[tuple[int, int]] = set()
        stack = [(self._root, 0)]
        while stack:
            node, at = stack.pop()
            if (id(node), at) in seen:
                continue
            seen.add((id(node), at))
            if node.deep is not None:
                stack.extend((node.deep, later) for later in range(at, len(segments) + 1))
            if at == len(segments):
                yield from node.values
                continue
            child = node.children.get(segments[at])
            if child is not None:
                stack.append((child, at + 1))
            if node.one is not None:
                stack.append((node.one, at + 1))
