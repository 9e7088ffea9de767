"""Work in processes that are forked from here: each begins as this process is now, and changes nothing in it.

So every round of a torture finds the globals of drivers as they were before the first one, and a worker can be killed
for real. What a child has to say comes as JSON over a pipe.
"""

import gc
import json
import os
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from vextir_os.errors import UsageError

K = TypeVar("K")
_READ_BYTES = 65_536


class Answer(NamedTuple):
    """What came of a child.

    Attributes:
        value: What its work returned.
        error: Its traceback, when it raised; how it ended, when it said nothing.
        killed: Whether it was killed.
    """

    value: Any = None
    error: str = ""
    killed: bool = False


def forked(
    work: Sequence[tuple[K, Callable[[], Any]]], *, at_once: int, limit_s: float
) -> Generator[tuple[K, Answer], None, None]:
    """Do pieces of work in processes of their own, several at once; yield the answers as they come, by their keys.

    Args:
        work: What to do, by key; it returns JSON.
        at_once: Processes at once.
        limit_s: Seconds after which a child is killed.

    Raises:
        UsageError: This system cannot fork.
    """
    if not hasattr(os, "fork"):
        raise UsageError("this system cannot fork processes", hint="On Windows, use WSL 2")
    left, running = list(reversed(work)), dict[int, tuple[K, int, float, bytearray]]()
    try:
        while left or running:
            while left and len(running) < at_once:
                key, do = left.pop()
                pid, pipe = _fork(do)
                running[pipe] = key, pid, time.monotonic() + limit_s, bytearray()
            ready, _, _ = select.select(list(running), [], [], 0.1)
            for pipe, (key, pid, until, said) in list(running.items()):
                chunk = os.read(pipe, _READ_BYTES) if pipe in ready else None
                if chunk:
                    said += chunk
                elif chunk is not None:
                    del running[pipe]
                    yield key, _answer(pid, pipe, bytes(said))
                elif time.monotonic() > until:
                    del running[pipe]
                    _end(pid, pipe)
                    yield key, Answer(error=f"it did not end within {limit_s:g} s")
    finally:
        for pipe, (_, pid, _, _) in running.items():
            _end(pid, pipe)


def _fork(do: Callable[[], Any]) -> tuple[int, int]:
    reading, writing = os.pipe()
    # What is buffered here would come out twice.
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Other threads of this process are not there in the child, and it waits for none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        # What this process has opened is not the child's to close.
        gc.freeze()
        os.close(reading)
        try:
            said = json.dumps({"value": do()})
        except BaseException:  # noqa: BLE001 - told to the parent, and the child ends
            said = json.dumps({"error": traceback.format_exc()})
        with open(writing, "w", encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            pipe.write(said)
        code = 0
    finally:
        os._exit(code)


def _answer(pid: int, pipe: int, said: bytes) -> Answer:
    os.close(pipe)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == -signal.SIGKILL:
        return Answer(killed=True)
    if code:
        return Answer(error=f"the process ended with {code}")
    return Answer(**json.loads(said))


def _end(pid: int, pipe: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.close(pipe)
    os.waitpid(pid, 0)
