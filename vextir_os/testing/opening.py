"""Puts an OS under test together and takes it apart: its folder, its thread, its workers, its log."""

import contextlib
import logging
import random
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from vextir_os.testing.clock import START, VirtualClock
from vextir_os.testing.crew import Crew
from vextir_os.testing.ground import Ground
from vextir_os.testing.project import Made, Policies, drivers_of, engine_of, settings_of
from vextir_os.testing.system import OS
from vextir_os.testing.trouble import Trouble
from vextir_os.testing.views import LogLine, line_of
from vextir_os.testing.worker import Worker

LIMIT_S = 60.0
"""Real seconds in which a command has to come to rest."""

_DRIVER = "vextir.driver"


class Opening:
    """An OS that is about to be opened: `with` in a plain function, `async with` in a coroutine. Used once.

    Args:
        made: What it is made of.
        atomic, start, seed, limit_s: See `open_os`.
        folder: Where its data goes; by default a folder that is gone afterwards.
    """

    def __init__(
        self,
        made: Made,
        *,
        atomic: bool = True,
        start: datetime = START,
        seed: int = 0,
        limit_s: float = LIMIT_S,
        folder: Path | None = None,
    ) -> None:
        self._made = made
        self._atomic = atomic
        self._start = start
        self._draw = random.Random(seed).random  # noqa: S311 - chance, not secrets
        self._limit_s = limit_s
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> OS:
        with contextlib.ExitStack() as stack:
            folder = self._folder or Path(stack.enter_context(_a_folder()))
            lines: list[LogLine] = []
            self._ground = ground = Ground(self._limit_s)
            stack.callback(ground.stop)
            opened = self._assemble(folder / "data", ground, lines)
            stack.callback(self._close, opened)
            _ = ground.give(opened.crew.begin).value
            heard = _Heard(ground, lines)
            heard.begin()
            stack.callback(heard.end)
            self._stack = stack.pop_all()
        return opened

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                self._ground.check()

    async def __aenter__(self) -> OS:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _assemble(self, data: Path, ground: Ground, lines: list[LogLine]) -> OS:
        made, trouble, clock = self._made, Trouble(), VirtualClock(ground.loop, self._start)
        registry, engine = drivers_of(made.drivers, made.root, trouble), engine_of(made.policies, made.root)
        settings = settings_of(made.root, data, made.settings)

        async def worker() -> Worker:
            starting = Worker(trouble).start(settings, registry(), engine, clock, draw=self._draw, atomic=self._atomic)
            return await starting

        return OS(made, ground, Crew(ground.loop, clock, worker), clock, trouble, lines)

    def _close(self, opened: OS) -> None:
        if not self._ground.stuck:
            _ = self._ground.give(opened.crew.close).value


def open_os(
    *drivers: Callable[..., Any],
    policies: Policies | None = None,
    root: Path | str | None = None,
    settings: Mapping[str, Any] | None = None,
    atomic: bool = True,
    start: datetime = START,
    seed: int = 0,
    limit_s: float = LIMIT_S,
) -> Opening:
    """Open an OS under test: `async with open_os(greet) as os:`, or `with` in a plain function.

    Args:
        drivers: Functions and classes under `@driver`; none for those of the project.
        policies: A folder of policy files, the text of one, or policies. By default those of the project; where
            drivers are given without a project, everything is allowed that their manifests allow.
        root: A project folder.
        settings: Settings by name, such as `{"max_depth": 10}`.
        atomic: Whether store and queue share a transaction, as on SQLite; False for the way of Service Bus and Cosmos.
        start: When its time begins; aware.
        seed: Of its chance: the jitter of retries.
        limit_s: Real seconds in which each command has to come to rest.

    Raises, once it is entered:
        ManifestError, ManifestProblemsError, PolicyProblemsError: Drivers or policies are wrong.
    """
    folder = None if root is None else Path(root).absolute()
    made = Made(drivers=drivers, root=folder, policies=policies, settings=settings or {})
    return Opening(made, atomic=atomic, start=start, seed=seed, limit_s=limit_s)


def _a_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="vextir-os-", ignore_cleanup_errors=True)


class _Heard(logging.Handler):
    """Keeps what drivers log: all by `ctx.log`, and what else is logged where the OS runs."""

    def __init__(self, ground: Ground, lines: list[LogLine]) -> None:
        super().__init__()
        self._ground = ground
        self._lines = lines
        self._level_before = logging.NOTSET

    def begin(self) -> None:
        """Listen."""
        logger = logging.getLogger(_DRIVER)
        self._level_before = logger.level
        logger.setLevel(logging.INFO)
        logging.getLogger().addHandler(self)

    def end(self) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self)
        logging.getLogger(_DRIVER).setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        ours = record.name == "vextir" or record.name.startswith("vextir.")
        if record.name == _DRIVER or (not ours and self._ground.owns(record.thread)):
            self._lines.append(line_of(record))
