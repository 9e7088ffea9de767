"""The one instance of a class driver in a process: made and started at its first event, stopped at the end.

Used from one event loop. However many events come together, it is started once; a start that fails fails the runs that
wait for it, and the next attempt makes a new instance.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from vextir_os.driverkit.bases import Health
from vextir_os.driverkit.binding import Binding
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import DriverStartError
from vextir_os.events.event import Event

Run = Callable[[Event, Context], Any]

START_PART = 0.9
"""Part of the driver's time-out that `start` may take: the rest lets its own error be seen, not that of the run."""


class Instance:
    """Calls `handle` of the instance of a driver class, which it makes and starts before the first call.

    Args:
        cls: The class.
        manifest: Names the driver and its time-out.
        binding: The plan of a call of `handle`.
    """

    def __init__(self, cls: type, manifest: Manifest, binding: Binding) -> None:
        self._cls = cls
        self._manifest = manifest
        self._binding = binding
        self._made: Any = None
        self._run: Run | None = None
        self._starting: asyncio.Task[BaseException | None] | None = None
        self._busy = 0
        self._idle = asyncio.Event()

    def another(self) -> "Instance":
        """Return an instance of the same class beside this one, not made yet: for another event loop."""
        return Instance(self._cls, self._manifest, self._binding)

    @property
    def is_started(self) -> bool:
        """Whether it is there and ready."""
        return self._run is not None

    async def __call__(self, event: Event, ctx: Context) -> Any:
        """Handle one event.

        Raises:
            DriverStartError: The instance cannot be made or started.
            Exception: Whatever the driver raises, untouched.
        """
        self._busy += 1
        try:
            run = self._run or await self._started()
            returned = run(event, ctx)
            return await returned if asyncio.iscoroutine(returned) else returned
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def health(self) -> Health:
        """Return what the driver says of itself; None where it says nothing or is not started. May raise anything."""
        if self._run is None or not hasattr(self._made, "health"):
            return None
        answer: Health = await self._made.health()
        return answer

    async def idle(self) -> None:
        """Wait until no call is at work."""
        while self._busy:
            self._idle.clear()
            await self._idle.wait()

    async def stop(self) -> None:
        """Stop what was started; the next event would start it anew. May raise whatever `stop` of the driver raises."""
        starting, self._starting = self._starting, None
        if starting is not None and not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
        made, self._made, self._run = self._made, None, None
        if made is not None and hasattr(made, "stop"):
            await made.stop()

    async def _started(self) -> Run:
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
        # Shielded: the end of one run's time-out is not the end of what the others wait for.
        error = await asyncio.shield(self._starting)
        if self._run is None:
            raise self._failed(error) from error
        return self._run

    async def _start(self) -> BaseException | None:
        """Make and start the instance; return what it raised."""
        try:
            async with asyncio.timeout(self._manifest.timeout_s * START_PART):
                made = self._cls()
                if hasattr(made, "start"):
                    await made.start()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a driver may raise anything; each of the waiting runs says so
            return error
        self._made, self._run = made, self._binding.starter(made.handle)
        return None

    def _failed(self, error: BaseException | None) -> DriverStartError:
        what = f"driver {self._manifest.id} could not start"
        if isinstance(error, TimeoutError) and not str(error):
            return DriverStartError(
                f"{what} within {self._manifest.timeout_s * START_PART:g} s",
                hint="Raise its `timeout`, or let `handle` do what takes long",
                where=self._manifest.entry,
            )
        said = "it was stopped" if error is None else f"{type(error).__name__}: {_said(error)}"
        return DriverStartError(f"{what}: {said}", where=self._manifest.entry)


def _said(error: BaseException) -> str:
    try:
        return str(error)[:300] or "no message"
    except Exception:  # noqa: BLE001 - even being shown may raise
        return "no message"
