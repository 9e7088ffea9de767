"""The rounds of a torture: what goes wrong in each, by name. Pure: from what a run without trouble passed.

A round is named so that it can be played again: `outbox dies before commit 2` is the worker's death before the second
commit, where store and queue share no transaction.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from vextir_os.testing.trouble import CALLS, STAGES, Fate

Kind = Literal["twice", "mix", "dies", "is killed", "freezes", "fails", "no answer", "lost answer"]
"""What goes wrong; `twice`: every event comes twice, to two workers at once; `mix`: much at once, drawn from a seed."""

MODES: Mapping[str, bool] = {"one-transaction": True, "outbox": False}

ROUNDS = 100
"""Rounds of a torture, if nobody says otherwise."""

_FATES: tuple[Fate, ...] = ("dies", "is killed", "freezes")
_WRITES = frozenset(
    {*STAGES, *CALLS} - {"receive", "driver", "queue.receive"},
)


class Round(NamedTuple):
    """One round.

    Attributes:
        mode: Whether store and queue share a transaction.
        kind: What goes wrong.
        place: Where: a point, or of an answer the call; empty for `twice` and `mix`.
        number: At which passage of it, from 1; of a mix its seed.
    """

    mode: str
    kind: Kind
    place: str = ""
    number: int = 1

    def __str__(self) -> str:
        return " ".join(part for part in (self.mode, self.kind, self.place, str(self.number)) if part)


def rounds_of(passed: Mapping[str, Sequence[str]], *, may_fail: bool, seed: int, most: int | None) -> list[Round]:
    """Return the rounds to play, the plain ones first.

    Args:
        passed: By mode, the points that a run without trouble passed, in order.
        may_fail: Whether every driver has a second attempt.
        seed: Draws which are left out, and the mixes.
        most: How many there are, at most; None for all but mixes, which have no end: a tenth as many again.
    """
    planned = [one for mode, points in passed.items() for one in _planned(mode, Counter(points), may_fail)]
    draw = Random(seed)  # noqa: S311 - chance, not secrets
    mixes = max(4, len(planned) // 10)
    if most is not None and len(planned) + mixes > most:
        mixes = max(1, most // 10)
        kept = sorted(draw.sample(range(len(planned)), max(0, most - mixes)))
        planned = [planned[place] for place in kept]
    modes = list(passed)
    planned += [Round(modes[n % len(modes)], "mix", number=draw.randrange(10**6)) for n in range(mixes)]
    return planned


def round_named(name: str) -> Round:
    """Return the round of a name. Raises `ValueError` for what is none."""
    mode, _, rest = name.strip().partition(" ")
    what, _, number = rest.rpartition(" ")
    kinds: tuple[Kind, ...] = ("twice", "mix", "dies", "is killed", "freezes", "fails", "no answer", "lost answer")
    kind = next((kind for kind in kinds if what == kind or what.startswith(f"{kind} ")), None)
    if mode not in MODES or kind is None or not number.isdigit():
        raise ValueError(f"{name!r} is no round, such as 'outbox dies before commit 2'")
    return Round(mode, kind, what.removeprefix(kind).strip(), int(number))


def mixed(one: Round, passed: Sequence[str]) -> list[Round]:
    """Return what goes wrong in a mix: two or three of the plain kinds, and everything twice."""
    draw = Random(one.number)  # noqa: S311 - chance, not secrets
    plain = [each for each in _planned(one.mode, Counter(passed), False) if each.kind not in ("twice", "is killed")]
    return [Round(one.mode, "twice"), *draw.sample(plain, min(len(plain), draw.randint(2, 3)))]


def _planned(mode: str, points: Counter[str], may_fail: bool) -> Iterator[Round]:
    yield Round(mode, "twice")
    for point, count in points.items():
        side, _, place = point.partition(" ")
        for number in range(1, count + 1):
            if place in _WRITES or place == "driver" or point == "after receive":
                yield from (Round(mode, fate, point, number) for fate in _FATES)
            if point == "after driver" and may_fail:
                yield Round(mode, "fails", point, number)
            if side == "before" and place in _WRITES:
                yield Round(mode, "no answer", place, number)
                yield Round(mode, "lost answer", place, number)
