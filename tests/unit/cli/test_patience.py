"""Publishing while there is no room: for how long, and what is said."""

import pytest

from vextir_os.cli.patience import patiently
from vextir_os.errors import InvalidEventError, QueueFullError
from vextir_os.events.event import Event

SENT = [Event(type="a")]


class Door:
    """Refuses so often, then lets in; remembers pauses and what was said."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = [*refusals]
        self.pauses: list[float] = []
        self.said: list[str] = []

    async def publish(self) -> list[Event]:
        if self.refusals:
            raise self.refusals.pop(0)
        return SENT

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def enter(self, patience_s: float) -> object:
        return await patiently(self.publish, patience_s=patience_s, tell=self.said.append, sleep=self.sleep)


def full(seconds: float) -> QueueFullError:
    return QueueFullError("9 events wait", retry_after_s=seconds)


async def test_it_is_tried_again_when_the_os_says_and_said_once() -> None:
    door = Door(full(2), full(7))
    assert await door.enter(60) == SENT
    assert (door.pauses, door.said) == ([2, 7], ["9 events wait; waiting for up to 60 s"])


async def test_patience_ends() -> None:
    door = Door(*[full(4)] * 9)
    with pytest.raises(QueueFullError):
        await door.enter(10)
    assert door.pauses == [4, 4, 2]


async def test_without_patience_nobody_waits() -> None:
    door = Door(full(1))
    with pytest.raises(QueueFullError):
        await door.enter(0)
    assert (door.pauses, door.said) == ([], [])


async def test_another_error_is_no_reason_to_wait() -> None:
    door = Door(InvalidEventError("wrong"))
    with pytest.raises(InvalidEventError):
        await door.enter(60)
    assert door.pauses == []
