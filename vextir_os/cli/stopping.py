"""When a command that goes on has to stop: a signal, or the end of the process that started it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator

Stopped = asyncio.Future[signal.Signals]


@contextlib.contextmanager
def stop_signals() -> Iterator[Stopped]:
    """Yield a future that gets the first SIGINT or SIGTERM. The next one acts as if there were no handler: at once."""
    loop = asyncio.get_running_loop()
    stopped: Stopped = loop.create_future()

    def release() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    def stop(number: signal.Signals) -> None:
        release()
        if not stopped.done():
            stopped.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; Ctrl-C is a KeyboardInterrupt there.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop, number)
    try:
        yield stopped
    finally:
        release()


@contextlib.contextmanager
def end_of_parent(stopped: Stopped) -> Iterator[None]:
    """Have the future told SIGTERM when standard input ends: whoever started this process holds its other end."""
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()
    os.set_blocking(descriptor, False)

    def look() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            if not stopped.done():
                stopped.set_result(signal.SIGTERM)

    loop.add_reader(descriptor, look)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)


async def first_of(working: "asyncio.Future[None]", stopped: Stopped) -> None:
    """Wait until the OS is to stop; raise what ended its work before that."""
    await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        working.result()
    working.cancel()
