"""The warm processes of one driver: started as they are needed, used again, ended when nothing comes or one is worn."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from vextir_os.driverkit.context import Context
from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.result import Result
from vextir_os.errors import DriverBusyError
from vextir_os.events.event import Event
from vextir_os.isolation.line import Line
from vextir_os.isolation.process import Host
from vextir_os.isolation.spawn import start

IDLE_S = 300.0
"""Seconds without a turn after which a process ends."""

MOST = 8
"""Processes of one driver, at most; two at least, else one for each processor, or `concurrency`, if that is less."""


def size_of(manifest: Manifest) -> int:
    """Return how many processes a driver may have at once in this OS process."""
    wanted = max(2, min(MOST, os.cpu_count() or 1))
    flow = manifest.flow
    if flow is not None and flow.concurrency is not None and not flow.concurrency_key:
        wanted = min(wanted, flow.concurrency)
    return wanted


class ProcessPool:
    """Hands out the processes of one driver. Used from one event loop.

    Args:
        manifest: The driver's.
        root: The project root that it is loaded from.
        idle_s: Seconds without a turn after which a process ends.
        hidden: Folders that its processes read nothing of.
    """

    def __init__(self, manifest: Manifest, root: Path, idle_s: float = IDLE_S, hidden: Sequence[Path] = ()) -> None:
        self.manifest = manifest
        self._root = root
        self._idle_s = idle_s
        self._hidden = hidden
        self._size = size_of(manifest)
        self._live: set[Host] = set()
        self._idle: list[Host] = []
        self._line = Line()
        self._timer: asyncio.TimerHandle | None = None
        self._retired = False

    async def take(self) -> Host:
        """Return a process that is ready for a turn; waits where all are at work.

        Raises:
            DriverBusyError: The system starts no process.
            VextirError, ReportedFailure: The driver cannot be loaded there.
        """
        while True:
            if self._idle:
                return self._idle.pop()
            if len(self._live) < self._size:
                return await self._start()
            await self._line.wait()

    async def run(self, host: Host, event: Event, ctx: Context) -> Result:
        """Run one turn in a process that was taken, and give it back."""
        try:
            return await host.call(event, ctx)
        finally:
            self._give(host)

    def retire(self) -> None:
        """Use no process again; those at work end after their turn."""
        self._retired = True
        for host in self._idle:
            host.finish()
        self._idle.clear()

    def close(self) -> set[Host]:
        """End all processes, and return those that were there."""
        at_work = self._live.difference(self._idle)
        self.retire()
        for host in at_work:
            host.end()
        if self._timer is not None:
            self._timer.cancel()
        return set(self._live)

    async def _start(self) -> Host:
        try:
            host = Host(self.manifest, start(self.manifest, self._root, self._hidden), self._forget)
        except OSError as error:
            what = f"no process starts for driver {self.manifest.id}: {error}"
            raise DriverBusyError(what, hint="Free memory, processes or descriptors") from error
        self._live.add(host)
        await host.ready()
        return host

    def _give(self, host: Host) -> None:
        if host.ending:
            return
        if host.leaves():
            host.end()
            return
        if self._retired or host.worn:
            host.finish()
            return
        loop = asyncio.get_running_loop()
        host.idle_since = loop.time()
        self._idle.append(host)
        if self._timer is None:
            self._timer = loop.call_later(self._idle_s, self._end_idle)
        self._line.wake()

    def _end_idle(self) -> None:
        loop = asyncio.get_running_loop()
        over = loop.time() - self._idle_s
        for host in [host for host in self._idle if host.idle_since <= over + 0.001]:
            self._idle.remove(host)
            host.finish()
        self._timer = None
        if self._idle:
            self._timer = loop.call_later(min(host.idle_since for host in self._idle) - over, self._end_idle)

    def _forget(self, host: Host) -> None:
        self._live.discard(host)
        if host in self._idle:
            self._idle.remove(host)
        self._line.wake()
