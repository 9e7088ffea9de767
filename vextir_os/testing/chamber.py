"""Torture: the events of a test under everything that may go wrong, and whether their effect is always the same.

Each round is a process of its own, forked from the test: it begins with the globals of the drivers as they are now.
What must hold is what the OS promises and a driver can break: the same records, outputs and emitted events as without
trouble, each once; ordered events in their order; drivers that say they are idempotent, idempotent.
"""

import contextlib
import os as system
import random
import shlex
import tempfile
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from vextir_os.errors import UsageError
from vextir_os.events.event import Event
from vextir_os.testing.clock import START
from vextir_os.testing.effect import differences, effect_of, not_idempotent, out_of_order, unfounded, unsettled
from vextir_os.testing.forks import Answer, forked
from vextir_os.testing.opening import Opening
from vextir_os.testing.project import Made, Policies
from vextir_os.testing.rounds import MODES, ROUNDS, Round, mixed, round_named, rounds_of
from vextir_os.testing.system import OS
from vextir_os.testing.trouble import Journal

AGAIN = "TORTURE"
"""Name in the environment of the one round to play, in this process: for a debugger."""

LIMIT_S = 40.0
_AT_ONCE = 4
_WITHIN = "30d"
_LATER = timedelta(days=1, hours=5)

Invariants = Callable[[OS], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tortured:
    """A torture that was endured; `await` gives itself.

    Attributes:
        rounds: Their names.
        exact: Whether outputs and data were compared: not where two runs without trouble differ in them.
        seed: Of all draws.
    """

    rounds: tuple[str, ...]
    exact: bool
    seed: int

    def __await__(self) -> Generator[Any, None, "Tortured"]:
        yield from ()
        return self

    def __repr__(self) -> str:
        compared = "effects" if self.exact else "effects but for values that differ from run to run"
        return f"<endured {len(self.rounds)} rounds, seed {self.seed}: the same {compared}>"


def torture(
    driver: Callable[..., Any] | Sequence[Callable[..., Any]],
    events: Event | Sequence[Event],
    *,
    invariants: Invariants | None = None,
    seed: int = 0,
    rounds: int | None = ROUNDS,
    policies: Policies | None = None,
    root: Path | str | None = None,
    settings: dict[str, Any] | None = None,
) -> Tortured:
    """Play events under everything that may go wrong with their drivers, in both ways of committing.

    Workers die before and after each call that changes something, in this process and killed; they stand still while
    others take over, and go on; calls get no answer, or it is lost; attempts fail after the driver has returned; events
    come three times, to two workers at once; and several of these together, drawn from a seed.

    Args:
        driver: Under test; several, or none for those of `root`.
        events: Published together, in this order; those without an id get one.
        invariants: Called with the OS after each round that was not killed; raises what does not hold. What it looks
            at outside of the OS is as the round left it.
        seed: Of all draws.
        rounds: At most so many, drawn from the seed; None for all.
        policies, root, settings: As for `open_os`.

    Raises:
        AssertionError: Something does not hold. It names the round, and the command that plays that one alone.
        UsageError: This system cannot fork processes.
    """
    drivers = (driver,) if callable(driver) else tuple(driver)
    folder = None if root is None else Path(root).absolute()
    made = Made(drivers=drivers, root=folder, policies=policies, settings=settings or {})
    return endure(made, events, invariants=invariants, seed=seed, rounds=rounds)


def endure(
    made: Made, events: Event | Sequence[Event], *, invariants: Invariants | None, seed: int, rounds: int | None
) -> Tortured:
    """Play the events on an OS that is made of this: see `torture`."""
    given = [events] if isinstance(events, Event) else list(events)
    named = [event if event.id else event.but(id=f"e-{number}") for number, event in enumerate(given, 1)]
    if not named:
        raise UsageError("a torture needs at least one event")
    with tempfile.TemporaryDirectory(prefix="vextir-torture-", ignore_cleanup_errors=True) as folder:
        chamber = _Chamber(made, named, invariants, Path(folder), seed)
        chamber.calibrate()
        only = system.environ.get(AGAIN, "")
        planned = [_named(only)] if only else rounds_of(
            chamber.passed, may_fail=chamber.may_fail, seed=seed, most=rounds
        )  # fmt: skip
        # A round that kills its process is none for this one.
        chamber.play(planned, here=bool(only) and planned[0].kind != "is killed")
    return Tortured(rounds=tuple(map(str, planned)), exact=chamber.exact, seed=seed)


class _Chamber:
    """One torture: what is known of the run without trouble, and what is held against it."""

    def __init__(self, made: Made, events: list[Event], invariants: Invariants | None, folder: Path, seed: int) -> None:
        self.passed: dict[str, list[str]] = {}
        self.exact = True
        self.may_fail = False
        self._made = made
        self._events = events
        self._invariants = invariants
        self._folder = folder
        self._seed = seed
        self._expected: dict[str, Any] = {}

    def calibrate(self) -> None:
        """Run without trouble: in each way of committing, and once more at another time with other chance."""
        runs = {mode: partial(self._smooth, mode, "") for mode in MODES}
        runs["again"] = partial(self._smooth, next(iter(MODES)), "again")
        for name, answer in forked(list(runs.items()), at_once=_AT_ONCE, limit_s=LIMIT_S):
            wrong = [answer.error] if answer.error else answer.value["wrong"]
            if wrong:
                raise AssertionError(f"{self._who()}: without any trouble something is wrong:\n{_indented(wrong)}")
            self._expected[name] = answer.value["effect"]
            if name in MODES:
                self.passed[name] = answer.value["passed"]
            self.may_fail = answer.value["may_fail"]
        self.passed = {mode: self.passed[mode] for mode in MODES}
        first = self._expected[next(iter(MODES))]
        self.exact = not differences(first, self._expected["again"], exact=True)
        for mode in MODES:
            wrong = differences(first, self._expected[mode], exact=self.exact)
            if wrong:
                raise AssertionError(
                    f"{self._who()}: the outbox makes a difference without trouble:\n{_indented(wrong)}"
                )

    def play(self, planned: Sequence[Round], *, here: bool) -> None:
        """Play rounds. Raises `AssertionError` for the first in which something is wrong."""
        work = [(one, partial(self._round, one)) for one in planned]
        answers = ((one, Answer(value=do())) for one, do in work) if here else forked(
            work, at_once=_AT_ONCE, limit_s=LIMIT_S
        )  # fmt: skip
        with contextlib.closing(answers):
            for number, (one, answer) in enumerate(answers):
                if answer.killed:
                    [(_, answer)] = forked([(one, partial(self._recover, one))], at_once=1, limit_s=LIMIT_S)
                wrong = [answer.error] if answer.error else self._judge(one, answer.value)
                if wrong:
                    raise AssertionError(self._report(one, wrong, number))

    def _judge(self, one: Round, value: dict[str, Any]) -> list[str]:
        return [*value["wrong"], *differences(self._expected[one.mode], value["effect"], exact=self.exact)]

    def _open(self, mode: str, folder: str, later: timedelta = timedelta()) -> Opening:
        place = self._folder / folder.replace(" ", "-")
        return Opening(
            self._made, atomic=MODES[mode], start=START + later, seed=self._seed, folder=place, limit_s=LIMIT_S / 2
        )

    def _smooth(self, mode: str, again: str) -> dict[str, Any]:
        if again:
            random.seed(f"{self._seed} {again}")
        with self._open(mode, f"smooth {mode} {again}", _LATER if again else timedelta()) as opened:
            value = self._run(opened, copies=1)
            value["may_fail"] = all(one.retry.max_attempts > 1 for one in opened.crew.registry.manifests.values())
            return value

    def _round(self, one: Round) -> dict[str, Any]:
        parts = mixed(one, self.passed[one.mode]) if one.kind == "mix" else [one]
        twice = any(part.kind == "twice" for part in parts)
        with self._open(one.mode, str(one)) as opened:
            if twice:
                _ = opened.do(lambda _: opened.crew.begin())
            for part in parts:
                _script(opened, part)
            return self._run(opened, copies=3 if twice else 1)

    def _recover(self, one: Round) -> dict[str, Any]:
        with self._open(one.mode, str(one), _LATER) as opened:
            return self._finish(opened, None)

    def _run(self, opened: OS, *, copies: int) -> dict[str, Any]:
        opened.trouble.journal = journal = Journal([], [])
        _ = opened.publish(*self._events, copies=copies)
        with contextlib.suppress(AssertionError):
            _ = opened.finish(_WITHIN)
        if opened.crew.frozen:
            _ = opened.do(lambda _: opened.crew.thaw())
        return self._finish(opened, journal)

    def _finish(self, opened: OS, journal: Journal | None) -> dict[str, Any]:
        with contextlib.suppress(AssertionError):
            # What is not finished even then is told of below.
            _ = opened.finish(_WITHIN)
        records = opened.records
        wrong = [*unsettled(records), *out_of_order(records, [event.id for event in self._events])]
        if journal is not None:
            wrong += unfounded(records, journal)
            # Where values differ without trouble, nobody can say why two calls differ.
            wrong += not_idempotent(journal, opened.crew.registry.manifests) if self.exact else []
            wrong += self._said_by_invariants(opened)
        passed = [] if journal is None else journal.passed
        return {"effect": effect_of(records, opened.dead), "wrong": wrong, "passed": passed}

    def _said_by_invariants(self, opened: OS) -> list[str]:
        if self._invariants is None:
            return []
        try:
            self._invariants(opened)
        except AssertionError as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            return [f"the invariant at {place.filename}:{place.lineno} does not hold: {str(error) or place.line}"]
        return []

    def _who(self) -> str:
        names = [getattr(one, "__name__", repr(one)) for one in self._made.drivers]
        return f"torture of {', '.join(names) or self._made.root}"

    def _report(self, one: Round, wrong: Sequence[str], well: int) -> str:
        test = system.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        command = f"pytest {shlex.quote(test)}" if test else "the same call"
        return (
            f"{self._who()}: when a worker meets `{one}`, something is wrong:\n{_indented(wrong)}\n"
            f"again: {AGAIN}={shlex.quote(str(one))} {command}\n"
            f"seed {self._seed}; {well} rounds before it went well"
        )


def _script(opened: OS, part: Round) -> None:
    match part.kind:
        case "dies" | "is killed" | "freezes" | "fails":
            opened.trouble.crash_at(part.place, passage=part.number, times=1, fate=part.kind)
        case "no answer" | "lost answer":
            done = part.kind == "lost answer"
            opened.trouble.outage(part.place, calls=1, done=done, passage=part.number)
        case _:
            # `twice` is how events are published.
            return


def _named(name: str) -> Round:
    try:
        return round_named(name)
    except ValueError as error:
        raise UsageError(f"{AGAIN}: {error}") from None


def _indented(said: Sequence[str]) -> str:
    return "\n".join("  " + line for one in said for line in one.rstrip().splitlines())
