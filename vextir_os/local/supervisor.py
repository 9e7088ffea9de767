"""Several worker processes beside this one: started, started again when they end, stopped with it.

The workers find each other by the data directory alone; what one of them held when it died, `deaths` gives to others.
This process works on nothing itself.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence

from vextir_os.kernel import Kernel
from vextir_os.local.deaths import Deaths

_LOG = logging.getLogger("vextir.runner")
_PAUSE_S = (0.1, 10.0)
"""From and to: pauses before a worker that ended is started again, each twice the one before."""

_WELL_S = 30.0
"""A worker that lived this long did not end for what it found at its start."""

_STOP_S = 25.0


class Supervisor:
    """Keeps worker processes at work until it is stopped. Used from one event loop, as a `Runner` is.

    Args:
        kernel: The OS of this process, which looks after workers that are gone.
        command: Runs one worker, which stops on SIGTERM and when its standard input ends: when this process is gone.
        count: How many.
    """

    def __init__(self, kernel: Kernel, command: Sequence[str], count: int) -> None:
        self._command = command
        self._count = count
        self._deaths = Deaths(kernel)
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._loops: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Supervisor":
        self._loops = [
            asyncio.create_task(self._deaths.watch(), name="vextir-deaths"),
            *(asyncio.create_task(self._keep(number), name=f"vextir-worker-{number}") for number in self._numbers()),
        ]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Tell all workers to stop, wait for the runs that they let end, and kill what is left after 25 s."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await asyncio.gather(*(self._stop(process) for process in self._running.values()))
        await self._deaths.look()

    async def wait(self) -> None:
        """Wait until a loop of this process fails, and raise what it raised. A worker that ends is no failure."""
        await asyncio.gather(*self._loops)

    def _numbers(self) -> range:
        return range(1, self._count + 1)

    async def _keep(self, number: int) -> None:
        pause, loop = _PAUSE_S[0], asyncio.get_running_loop()
        while True:
            began = loop.time()
            # A session of its own: Ctrl-C on a terminal goes to this process, which stops the workers in order.
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, start_new_session=True
            )
            self._running[number] = process
            code = await process.wait()
            self._deaths.look_now()
            if loop.time() - began > _WELL_S:
                pause = _PAUSE_S[0]
            _LOG.warning(
                "worker process %d of %d, %s; it is started again in %g s", number, self._count, _ended(code), pause
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_S[1])

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            _LOG.warning("the worker process %d does not stop, and is killed", process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _ended(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
