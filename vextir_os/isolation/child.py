"""Inside a driver's process: load the driver, then answer one call after the other until the channel ends.

Everything that the driver returns or raises is judged here, by the same code as inline, and goes back as JSON.
"""

import asyncio
import contextlib
import math
import resource
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vextir_os.driverkit.beats import NOTE_CHARS
from vextir_os.driverkit.call import LoadedDriver, call_here
from vextir_os.driverkit.manifest import PROJECT, Manifest
from vextir_os.driverkit.outcome import normalise
from vextir_os.errors import DriverRefusedError, DriverRefusedImportError, StaleIndexError, VextirError
from vextir_os.events import jsonio
from vextir_os.isolation import wire
from vextir_os.isolation.audit import install
from vextir_os.isolation.frames import frame
from vextir_os.isolation.limits import limit_in, over
from vextir_os.isolation.reach import Reach
from vextir_os.registry.folders import DRIVERS, folder_hash
from vextir_os.registry.instances import stop_all
from vextir_os.registry.manifest_json import BUILD, INDEX_FILE, decode_index
from vextir_os.registry.registry import Registry
from vextir_os.runs.context import RunContext
from vextir_os.runs.failure import failure_of
from vextir_os.runs.transitions import Failure

_LOG_BYTES = 100_000
_BEAT_S = 0.02
_CAUSES = 10
_KILOBYTE = 1 if sys.platform == "darwin" else 1_024


class Channel:
    """The stream of frames to the OS; blocks."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._file = self._socket.makefile("rb")
        self._lock = threading.Lock()

    def receive(self) -> dict[str, Any] | None:
        """Return the next message; None at the end."""
        head = self._file.read(4)
        if len(head) < 4:
            return None
        message: dict[str, Any] = jsonio.loads(self._file.read(int.from_bytes(head, "big")))
        return message

    def send(self, body: bytes) -> None:
        """Send one frame, whole: a driver's threads may log at the same time."""
        with self._lock:
            self._socket.sendall(frame(body))


class _Here:
    """The one thread of the process, and its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.own = loop
        self.task: asyncio.Task[Any] | None = None


class _ChildContext(RunContext):
    """The context of a turn in a process: what it logs goes to the OS."""

    __slots__ = ("_beat_at", "_call", "_channel")

    def __init__(self, channel: Channel, call: int, said: Mapping[str, Any]) -> None:
        super().__init__(
            driver=said["driver"],
            event_id=said["event_id"],
            principal=wire.principal_of(said),
            attempt=said["attempt"],
            rerun=said["rerun"],
            now=said["now"],
            traceparent=said["traceparent"],
        )
        self._channel = channel
        self._call = call
        self._beat_at = -math.inf

    def heartbeat(self, note: str = "") -> None:
        """Send a sign of life, unless one was sent just now."""
        now = time.monotonic()
        if now - self._beat_at >= _BEAT_S:
            self._beat_at = now
            with contextlib.suppress(Exception):
                self._channel.send(jsonio.dumps({"call": self._call, "beat": str(note)[:NOTE_CHARS]}))

    def log(self, message: str, **fields: Any) -> None:
        """Send one log line, if it is not too long."""
        with contextlib.suppress(Exception):
            body = jsonio.dumps({"call": self._call, "log": str(message), "fields": _plain(fields)})
            if len(body) <= _LOG_BYTES:
                self._channel.send(body)


def main(descriptor: int) -> None:
    """Serve the channel of this descriptor until it ends."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # they are files
    channel = Channel(descriptor)
    spec = channel.receive()
    if spec is None:
        return
    (manifest,) = decode_index(spec["index"].encode()).manifests
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        root = Path(spec["root"])
        _check_hash(root, manifest)
        install(manifest.id, Reach(**{name: tuple(paths) for name, paths in spec["reach"].items()}), manifest.processes)
        driver = Registry([manifest], root=root).load(manifest)
    except BaseException as error:  # noqa: BLE001 - a module may raise anything
        channel.send(wire.failure_json(0, _failure(error, manifest, 0.0)))
        return
    channel.send(jsonio.dumps({"call": 0, "events": [], "stops": driver.instance is not None}))
    while (message := channel.receive()) is not None:
        body = _turn(loop, driver, channel, message)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        channel.send(body)
    loop.run_until_complete(stop_all([driver]))


def _check_hash(root: Path, manifest: Manifest) -> None:
    # The place of a pack is that of its package, which no hash of a project is of.
    if manifest.origin == PROJECT and folder_hash(root / DRIVERS / _folder(manifest)) != manifest.code_hash:
        what = f"{DRIVERS}/{_folder(manifest)} was changed since the driver index was built"
        raise StaleIndexError(what, hint=BUILD, where=INDEX_FILE)


def _folder(manifest: Manifest) -> str:
    return manifest.module.partition(".")[0]


def _turn(loop: asyncio.AbstractEventLoop, driver: LoadedDriver, channel: Channel, message: Mapping[str, Any]) -> bytes:
    call, context = message["call"], _ChildContext(channel, message["call"], message["ctx"])
    before = asyncio.all_tasks(loop)
    try:
        returned = call_here(driver, wire.event_of(message), context, _Here(loop))
        result = normalise(returned, driver.manifest.id)
        body = wire.result_json(call, result, _most_bytes())
        frame(body)
    except BaseException as error:  # noqa: BLE001 - a driver may raise anything
        body = wire.failure_json(call, _failure(error, driver.manifest, context.now.timestamp()))
    for task in asyncio.all_tasks(loop) - before:
        task.cancel()
    return body


def _failure(error: BaseException, manifest: Manifest, now: float) -> Failure:
    refusal = _refusal(error)
    if refusal is not None:
        return failure_of(refusal)
    limit = limit_in(error)
    if limit is not None and (limit != "memory" or manifest.memory_bytes is not None):
        told = over(manifest, limit)
        told.__cause__ = error
        return failure_of(told)
    return failure_of(error, declared=manifest.errors, now=now)


def _refusal(error: BaseException | None) -> VextirError | None:
    """Return the refusal that an exception of a library came of: whatever the library makes of it, it stays refused."""
    for _ in range(_CAUSES):
        if isinstance(error, (DriverRefusedError, DriverRefusedImportError)):
            return error
        if error is None or isinstance(error, VextirError):
            break
        error = error.__cause__ or error.__context__
    return None


def _most_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    plain = {}
    for name, value in fields.items():
        try:
            jsonio.check_json(value, limit_bytes=_LOG_BYTES)
            plain[name] = value
        except Exception:  # noqa: BLE001 - what is no JSON is shown as text
            plain[name] = repr(value)[:1_000]
    return plain
