"""Puts an OS under test together and takes it apart: its folder, its thread, its workers, its log."""

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
from vextir_os.testing.project import Policies, drivers_of, engine_of, settings_of
from vextir_os.testing.system import OS
from vextir_os.testing.trouble import Trouble
from vextir_os.testing.views import LogLine, line_of
from vextir_os.testing.worker import Worker

LIMIT_S = 60.0
"""Real seconds in which a command has to come to rest."""

_DRIVER = "vextir.driver"


class Opening:
    """An OS that is about to be opened: `with` in a plain function, `async with` in a coroutine. Used once."""

    def __init__(self, make: Callable[[Path, Ground, list[LogLine]], tuple[OS, Crew]], limit_s: float) -> None:
        self._make = make
        self._limit_s = limit_s

    def __enter__(self) -> OS:
        self._folder = tempfile.TemporaryDirectory(prefix="vextir-os-", ignore_cleanup_errors=True)
        lines: list[LogLine] = []
        self._ground = Ground(self._limit_s)
        self._heard = _Heard(self._ground, lines)
        try:
            self._os, self._crew = self._make(Path(self._folder.name), self._ground, lines)
            _ = self._ground.give(self._crew.begin).value
        except BaseException:
            self._take_apart()
            raise
        self._heard.begin()
        return self._os

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._ground.check()
            _ = self._ground.give(self._crew.close).value
        finally:
            self._heard.end()
            self._take_apart()

    async def __aenter__(self) -> OS:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _take_apart(self) -> None:
        self._ground.stop()
        self._folder.cleanup()


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
        drivers: Functions under `@driver`; none for those of the project.
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

    def make(data: Path, ground: Ground, lines: list[LogLine]) -> tuple[OS, Crew]:
        trouble, clock = Trouble(), VirtualClock(ground.loop, start)
        registry, engine = drivers_of(drivers, folder, trouble), engine_of(policies, folder)
        chosen = settings_of(folder, data, settings or {})
        draw = random.Random(seed).random  # noqa: S311 - chance, not secrets

        async def worker() -> Worker:
            return await Worker(trouble).start(chosen, registry(), engine, clock, draw=draw, atomic=atomic)

        crew = Crew(ground.loop, clock, worker)
        return OS(ground, crew, clock, trouble, lines), crew

    return Opening(make, limit_s)


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
