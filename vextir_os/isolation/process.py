"""One driver's process, as the OS sees it: asked for one turn at a time, trusted in nothing."""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
from collections.abc import Callable
from typing import Any

from vextir_os.driverkit.context import Context
from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.result import Result
from vextir_os.errors import DriverCrashError, DriverLimitError, DriverTimeoutError, VextirError
from vextir_os.events.event import Event
from vextir_os.isolation.frames import FrameReader, MalformedError, frame
from vextir_os.isolation.limits import ended
from vextir_os.isolation.output import Output
from vextir_os.isolation.spawn import Started
from vextir_os.isolation.tree import descendants
from vextir_os.isolation.wire import call_json, log_of, note_of, result_of
from vextir_os.registry.instances import STOP_S
from vextir_os.runs.failure import ReportedFailure

START_S = 60.0
"""Longest time that a process may take to import its driver."""

CALLS = 1_000
"""Turns after which a process is replaced."""

GROWTH_BYTES = 256_000_000
"""A process that has grown by this much since its first turn is replaced."""

LOG_LINES = 1_000
"""Log lines of one turn that are kept."""

_WATCH_AFTER_S = 0.05
# A warden does its work in milliseconds, and is all that finds what has left its parent: it gets its time.
_END_S = 10.0
_READ_BYTES = 262_144
_LOG = logging.getLogger("vextir.driver")


class Host:
    """One process of one driver. Used from one event loop.

    Args:
        manifest: The driver's.
        started: The process.
        on_gone: Called once, when the process, all below it and its warden are gone.
    """

    def __init__(self, manifest: Manifest, started: Started, on_gone: Callable[["Host"], None]) -> None:
        self._manifest = manifest
        self._started = started
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        self._output = Output(started.output)
        self._unsent = bytearray()
        self._control_held = b""
        self._child = 0
        self._number = 0
        self._answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._ctx: Context | None = None
        self._lines = 0
        self._watch: asyncio.TimerHandle | None = None
        self._watching = False
        self._first_bytes = 0
        self._grown = False
        self._stops = False
        self._report: dict[str, Any] = {}
        self._why = ""
        self._on_gone = on_gone
        self.gone = asyncio.Event()
        self.ending = False
        self.idle_since = 0.0
        self._loop.add_reader(started.control, self._hear)
        self._loop.add_reader(started.channel, self._receive)
        self._loop.add_reader(started.output, self._write_out)

    @property
    def worn(self) -> bool:
        """Whether it has done enough, or holds so much, that another one should take its place."""
        return self._number >= CALLS or self._grown

    async def ready(self) -> None:
        """Wait until the driver is loaded.

        Raises:
            ReportedFailure: It cannot be loaded.
            DriverTimeoutError: It takes too long.
            DriverCrashError, DriverLimitError: The process died over it.
        """
        try:
            async with asyncio.timeout(START_S):
                self._check(await self._answer)
        except TimeoutError:
            self.end()
            what = f"the process of driver {self._manifest.id} did not import it within {START_S:g} s"
            raise DriverTimeoutError(what, hint="Import large things inside the function that needs them") from None
        except BaseException:
            self.end()
            raise

    async def call(self, event: Event, ctx: Context) -> Result:
        """Run one turn. Whoever cancels it ends the process.

        Raises:
            ReportedFailure: The driver failed; the process judged how.
            DriverLimitError: It hit a limit.
            DriverCrashError: The process died, or wrote what is no answer.
        """
        self._number += 1
        self._answer, self._ctx, self._lines = self._loop.create_future(), ctx, 0
        self._watch = self._loop.call_later(_WATCH_AFTER_S, self._begin_watch)
        try:
            if self.ending:
                self._fail_turn()
            else:
                self._send(frame(call_json(self._number, event, ctx)))
            return self._check(await self._answer)
        except (DriverCrashError, DriverLimitError, asyncio.CancelledError):
            self.end()
            raise
        finally:
            self._end_watch()
            self._write_out()
            self._output.turn_over(self._tell)
            self._ctx = None

    def leaves(self) -> bool:
        """Whether its turn has left other processes; says so in the log. They go with this one."""
        left = [pid for pid in descendants(self._started.warden.pid) if pid != self._child]
        if left:
            driver = self._manifest.id
            what = f"driver {driver} left {len(left)} processes behind at the end of its turn; they are ended"
            _LOG.warning("%s", what, extra={"vextir": {"driver": driver}})
        return bool(left)

    def finish(self) -> None:
        """Let the driver stop what it has started, where it is a class, then end the process."""
        if self._stops and not self.ending:
            with contextlib.suppress(OSError):
                self._started.channel.shutdown(socket.SHUT_WR)
            self._loop.call_later(STOP_S + _END_S, self.end)
        else:
            self.end()

    def end(self, order: bytes = b"end\n") -> None:
        """End the process and all below it. Returns at once; `gone` says when it is so."""
        if not self.ending:
            self.ending = True
            self._order(order)
            self._loop.call_later(_END_S, self._end_warden)

    def _check(self, message: dict[str, Any]) -> Result:
        try:
            result = result_of(message)
        except MalformedError as error:
            raise self._crash(str(error)) from error
        except ReportedFailure as error:
            # What was taken up to a limit may be held still.
            self._grown |= error.failure.detail["code"] == DriverLimitError.code
            raise
        self._stops = self._stops or message.get("stops") is True
        size = message.get("bytes")
        if isinstance(size, int):
            self._first_bytes = self._first_bytes or size
            limit = self._manifest.memory_bytes
            self._grown = size - self._first_bytes > GROWTH_BYTES or (limit is not None and size > 0.75 * limit)
        return result

    def _crash(self, what: str) -> DriverCrashError:
        return DriverCrashError(f"the process of driver {self._manifest.id} {what}")

    def _begin_watch(self) -> None:
        self._watching = True
        self._order(b"watch\n")

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._watching:
            self._watching = False
            self._order(b"rest\n")

    def _order(self, line: bytes) -> None:
        # A few bytes to one that reads them; where nobody does, its end is near anyway.
        with contextlib.suppress(OSError):
            self._started.control.send(line)

    def _end_warden(self) -> None:
        if not self.gone.is_set():
            self._started.warden.kill()

    def _send(self, data: bytes) -> None:
        try:
            sent = self._started.channel.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return
        if sent < len(data):
            self._unsent += data[sent:]
            self._loop.add_writer(self._started.channel, self._send_rest)

    def _send_rest(self) -> None:
        try:
            sent = self._started.channel.send(memoryview(self._unsent)[:_READ_BYTES])
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._started.channel)

    def _receive(self) -> None:
        try:
            data = self._started.channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._break("closed its channel to the OS", b"closed\n")
            return
        try:
            for message in self._reader.feed(data):
                self._take(message)
        except MalformedError as error:
            self._break(str(error), b"end\n")

    def _take(self, message: dict[str, Any]) -> None:
        if "beat" in message or "log" in message:
            # What a thread of an earlier turn says is said for another event, or for none.
            if self._ctx is not None and message.get("call") == self._number:
                self._note(self._ctx, message)
        elif message.get("call") == self._number and not self._answer.done():
            self._answer.set_result(message)
        else:
            raise MalformedError("what answers no question")

    def _note(self, ctx: Context, message: dict[str, Any]) -> None:
        if "beat" in message:
            ctx.heartbeat(note_of(message))
            return
        text, fields = log_of(message)
        self._lines += 1
        if self._lines <= LOG_LINES:
            self._tell(text, **fields)

    def _tell(self, text: str, **fields: Any) -> None:
        if self._ctx is None:
            _LOG.info("%s", text, extra={"vextir": {"driver": self._manifest.id, "fields": fields}})
            return
        with contextlib.suppress(TypeError):
            self._ctx.log(text, **fields)

    def _break(self, why: str, order: bytes) -> None:
        self._why = self._why or why
        self._loop.remove_reader(self._started.channel)
        self._loop.remove_writer(self._started.channel)
        self.end(order)

    def _hear(self) -> None:
        try:
            data = self._started.control.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, self._control_held = (self._control_held + data).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                self._learn(json.loads(line))
        if not data:
            self._close()

    def _learn(self, said: dict[str, Any]) -> None:
        if "child" in said:
            self._child = said["child"]
        elif "ended" in said:
            self._report = said
            self.ending = True

    def _write_out(self) -> None:
        if not self._output.read(self._tell):
            self._loop.remove_reader(self._started.output)

    def _fail_turn(self) -> None:
        if not self._answer.done():
            error: VextirError
            if self._why and self._report.get("alive") and not self._report.get("limit"):
                error = self._crash(self._why)
            else:
                error = ended(self._manifest, self._report, self._output.last())
            self._answer.set_exception(error)

    def _close(self) -> None:
        self._write_out()
        started = self._started
        for end in (started.control, started.channel):
            self._loop.remove_reader(end)
            self._loop.remove_writer(end)
            end.close()
        self._loop.remove_reader(started.output)
        os.close(started.output)
        self._fail_turn()
        # Whoever waits for nothing must not be warned of an error that nobody asked for.
        self._answer.exception() if self._answer.done() and not self._answer.cancelled() else None
        self._reap()

    def _reap(self) -> None:
        if self._started.warden.poll() is None:
            self._loop.call_later(0.005, self._reap)
            return
        # The warden's work, where it was ended itself.
        shutil.rmtree(self._started.folder, ignore_errors=True)
        self.gone.set()
        self._on_gone(self)
