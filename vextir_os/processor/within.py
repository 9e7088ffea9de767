"""A driver's time-out. The driver takes its first step at once: one that never waits needs no timer."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

from vextir_os.driverkit.beats import Beats
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import DriverTimeoutError
from vextir_os.processor.heartbeat import Watch, missed
from vextir_os.processor.stops import Stops, Working


async def within(
    call: Coroutine[Any, Any, Any],
    manifest: Manifest,
    stops: Stops,
    record: str,
    fence: int,
    beats: Beats | None = None,
) -> Any:
    """Return what the call returns, or cancel it when the driver's time is over.

    A step that never waits, such as a loop of pure Python, cannot be cancelled; its time-out is noticed at no point.

    Args:
        call: The driver's.
        manifest: Names its time-out.
        stops: Where it can be told to end before that, while it waits.
        record: Id of the record that it runs for.
        fence: Of its run.
        beats: Of its turn, where it has promised to beat.

    Raises:
        DriverTimeoutError: It did not end in time.
        HeartbeatError: It was silent for too long.
        BaseException: Whatever it raises.
    """
    try:
        waits_for = call.send(None)
    except StopIteration as end:
        return end.value
    limit, watch = asyncio.timeout(manifest.timeout_s), None
    try:
        async with limit:
            working = Working(manifest.id, fence, limit)
            stops.add(record, working)
            if beats is not None and manifest.heartbeat_s is not None:
                watch = Watch(beats, manifest.heartbeat_s, limit)
            try:
                return await _Rest(call, waits_for)
            finally:
                stops.remove(record, working)
                if watch is not None:
                    watch.end()
    except TimeoutError:
        if not limit.expired():
            raise
        if beats is not None and watch is not None and watch.missed:
            raise missed(manifest, beats) from None
        raise DriverTimeoutError(
            f"driver {manifest.id} did not end within {manifest.timeout_s:g} s",
            hint="Raise its `timeout`, or split its work",
        ) from None


class _Rest:
    """What is left of a coroutine after its first step; awaiting it is awaiting the coroutine (PEP 492)."""

    __slots__ = ("_call", "_waits_for")

    def __init__(self, call: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._call = call
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        call, waits_for = self._call, self._waits_for
        while True:
            try:
                try:
                    answer = yield waits_for
                except BaseException as error:  # noqa: BLE001 - thrown in from outside, handed on to the coroutine
                    waits_for = call.throw(error)
                else:
                    waits_for = call.send(answer)
            except StopIteration as end:
                return end.value
