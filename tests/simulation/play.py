"""Play seeds: build a world, run it, hold what came of it against the invariants; `find` looks for one that is bad."""

import contextlib
import itertools
import logging
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from tests.simulation.invariants import violations
from tests.simulation.loop import StuckError
from tests.simulation.wire import Line
from tests.simulation.world import World
from vextir_os.events import ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of one seed.

    Attributes:
        seed: Even ones share transactions between store and queue, odd ones do not.
        wrong: One sentence for each thing that is wrong; empty when all is well.
        trace: What happened, call by call.
        steps: Steps that the event loop took.
    """

    seed: int
    wrong: tuple[str, ...]
    trace: tuple[Line, ...]
    steps: int

    @property
    def digest(self) -> str:
        """A hash of the trace."""
        return sha256("\n".join(map(str, self.trace)).encode()).hexdigest()

    def report(self, lines: int = 200) -> str:
        """Return what is wrong, how to see it again, and the last lines of the trace."""
        shown = "\n".join(map(str, self.trace[-lines:]))
        wrong = "\n".join(f"  {sentence}" for sentence in self.wrong)
        return f"seed {self.seed}:\n{wrong}\nagain: python -m tests.simulation {self.seed}\n{shown}"


def play(seed: int) -> Played:
    """Play one seed; the same seed is the same world, call by call."""
    world = World(seed, atomic=seed % 2 == 0)
    try:
        with _chance(seed), _errors_into(world.failures):
            world.loop.run(world.run())
            wrong = violations(world)
    except StuckError as error:
        wrong = [str(error)]
    return Played(
        seed=seed,
        wrong=(*world.failures, *world.loop.complaints, *wrong),
        trace=tuple(world.trace),
        steps=world.loop.steps,
    )


def find(seeds: Iterable[int]) -> Played | None:
    """Return the first of these seeds with which something is wrong."""
    return next((played for played in map(play, seeds) if played.wrong), None)


@contextlib.contextmanager
def _chance(seed: int) -> Iterator[None]:
    # The runner draws its pauses from Python's own generator; an edge mints ids from the machine's.
    state, mint, numbers = random.getstate(), ids.mint, itertools.count()
    random.seed(seed)
    ids.mint = lambda: ids.derive("simulated", next(numbers))
    try:
        yield
    finally:
        random.setstate(state)
        ids.mint = mint


class _Errors(logging.Handler):
    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._failures = failures

    def emit(self, record: logging.LogRecord) -> None:
        self._failures.append(logging.Formatter().format(record))


@contextlib.contextmanager
def _errors_into(failures: list[str]) -> Iterator[None]:
    """Let nobody hear the warnings, of which there are many; an error of the runner is something wrong."""
    logger, handler = logging.getLogger("vextir"), _Errors(failures)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
