"""When nothing more is let in, how often that is looked at, and when it is worth asking again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from vextir_os.errors import DiskLowError, OverloadedError, QueueFullError, StoreUnavailableError
from vextir_os.ports.gauges import Level
from vextir_os.processor.pressure import LOOK_S, Bounds, Pressure

GB = 10**9


class Scene:
    """A storage that is as full as the test says."""

    def __init__(self, **bounds: int) -> None:
        self.clock = FakeClock()
        self.level = Level(0, GB, GB)
        self.looks = 0
        self.down = False
        self.pressure = Pressure(self.look, Bounds(**bounds), self.clock)

    async def look(self) -> Level:
        self.looks += 1
        if self.down:
            raise StoreUnavailableError("no answer")
        return self.level

    async def ask(self, waiting: int, *, after_s: float = LOOK_S) -> None:
        """Publish after some time, while so many events wait."""
        self.clock.advance(after_s)
        self.level = self.level._replace(waiting=waiting)
        if self.pressure.may_refuse():
            await self.pressure.check()


async def test_as_many_as_may_wait_may_and_one_more_may_not() -> None:
    scene = Scene(waiting=100)
    await scene.ask(100)
    with pytest.raises(QueueFullError) as caught:
        await scene.ask(101)
    assert str(caught.value) == (
        "101 events wait on the queue, at most 100 may. Send again in 5 s; is `vextir dev` running? Or raise "
        "VEXTIR_MAX_QUEUE_DEPTH"
    )
    await scene.ask(100)


@pytest.mark.parametrize(
    ("bounds", "level", "message"),
    [
        (
            {"free_bytes": GB}, Level(0, GB, GB // 2),
            "500 MB are free on the disk, and 1,000 MB are to stay free. Make room, or lower VEXTIR_MIN_FREE_DISK",
        ),
        (
            {"used_bytes": GB}, Level(0, 2 * GB, GB),
            ("the database has 2,000 MB, at most 1,000 MB are allowed. Lower VEXTIR_RETENTION_S, "
            "or raise VEXTIR_MAX_DATABASE"),
        ),
    ],
    ids=["disk", "database"],
)  # fmt: skip
async def test_a_disk_that_is_too_full_is_said_to_be(bounds: dict[str, int], level: Level, message: str) -> None:
    scene = Scene(**bounds)
    await scene.ask(0)
    scene.level = level
    with pytest.raises(DiskLowError) as caught:
        await scene.ask(0)
    assert (str(caught.value), caught.value.retry_after_s, caught.value.kind) == (message, 30, "throttled")


async def test_it_is_looked_at_once_in_half_a_second_however_many_publish() -> None:
    scene = Scene(waiting=100)
    for _ in range(1_000):
        await scene.ask(0, after_s=LOOK_S / 100)
    assert scene.looks == 10


async def test_without_bounds_nothing_is_ever_looked_at() -> None:
    scene = Scene()
    await scene.ask(10**9)
    assert scene.looks == 0


async def test_an_answer_that_does_not_come_leaves_things_as_they_were() -> None:
    scene = Scene(waiting=100)
    scene.down = True
    await scene.ask(500)
    scene.down = False
    with pytest.raises(QueueFullError):
        await scene.ask(500)
    scene.down = True
    with pytest.raises(QueueFullError):
        await scene.ask(0)


async def test_who_is_refused_is_told_how_long_it_takes_to_work_off_what_is_too_much() -> None:
    scene, told = Scene(waiting=1_000), []
    for waiting in (3_000, 2_900, 2_600, 2_600, 1_010):
        with pytest.raises(QueueFullError) as caught:
            await scene.ask(waiting, after_s=1)
        told.append(caught.value.retry_after_s)
    assert told == [5, 19, 8, 16, 1], "unknown; 100 a second; 350; 175; almost there"


@given(st.lists(st.tuples(st.integers(101, 10**6), st.floats(0.5, 1e6)), min_size=1, max_size=20))
async def test_the_time_to_come_back_is_always_bounded(seen: list[tuple[int, float]]) -> None:
    scene = Scene(waiting=100)
    for waiting, after_s in seen:
        with pytest.raises(OverloadedError) as caught:
            await scene.ask(waiting, after_s=after_s)
        assert 1 <= caught.value.retry_after_s <= 60
