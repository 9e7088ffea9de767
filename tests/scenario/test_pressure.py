"""A queue that is too deep, or a disk that is too full, lets nothing in from outside; what is inside goes on."""

from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.errors import DiskLowError, QueueFullError
from vextir_os.events.event import Event


@driver("many", capabilities=["job.sent"], permissions=["emit:job.done"])
async def many(event: Event) -> list[Event]:
    return [Event(type="job.done")] * 20


@driver("moody", capabilities=["job.moody"], retry=Retry(base_s=1))
async def moody(event: Event) -> None:
    raise TransientError("not yet")


async def test_over_its_bound_the_queue_takes_nothing_from_outside_until_it_was_worked_off(
    tmp_path: Path, atomic: bool
) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, many, atomic=atomic, clock=clock, working=False, max_queue_depth=3) as os:
        for number in range(4):
            await os.publish(Event(id=f"e-{number}", type="job.other"))
            clock.advance(1)
        for _ in range(2):
            with pytest.raises(QueueFullError, match="4 events wait on the queue, at most 3 may"):
                await os.publish(Event(id="e-9", type="job.other"))
        with pytest.raises(QueueFullError):
            await os.kernel.bus.emit(Event(type="job.other"))
        assert await os.work() == 4
        clock.advance(1)
        await os.publish(Event(id="e-9", type="job.other"))
        await os.work()
        assert len(await os.records()) == 5


async def test_what_runs_emit_and_retry_is_never_refused(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    made = an_os(tmp_path, many, moody, atomic=atomic, clock=clock, working=False, draw=0.5, max_database=1)
    async with made as os:
        with pytest.raises(DiskLowError):
            await os.publish(Event(id="e-1", type="job.sent"))
        for type_ in ("job.sent", "job.moody"):
            await os.send(b'{"type": "%b"}' % type_.encode(), type_)
        await os.recover(clock)
        assert len(await os.records("job.done")) == 20
        [record] = await os.records("job.moody")
        assert (record["runs"]["moody"]["state"], record["runs"]["moody"]["attempt"]) == ("dead", 5)
        assert len(await os.records("vextir.error")) == 1


async def test_a_disk_without_room_takes_nothing_from_outside(tmp_path: Path) -> None:
    async with an_os(tmp_path, many, working=False, min_free_disk=10**18) as os:
        with pytest.raises(DiskLowError, match="are free on the disk, and 1,000,000,000,000 MB are to stay free"):
            await os.publish(Event(type="job.sent"))
        assert await os.left() == []
