"""Short words for tests of the SQLite broker: a message, the ids of deliveries, the one delivery, a session's lock."""

from typing import Any

from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.sessions import SessionLock
from vextir_os.ports.queue import Delivery, Message


def message(name: str = "m", **attributes: Any) -> Message:
    """Return a message with this id."""
    return Message(**{"id": name, "body": b"{}", **attributes})


def ids(deliveries: Any) -> list[str]:
    """Return the ids of the messages."""
    return [delivery.message.id for delivery in deliveries]


async def one(broker: Broker, name: str = "events") -> Delivery:
    """Receive the one message that is ready."""
    [delivery] = await broker.receive(name, 1, 0)
    return delivery


async def accept(broker: Broker, session: str | None) -> SessionLock:
    """Accept a session of `ordered` that is free."""
    lock = await broker.accept_session("ordered", session, 0)
    assert lock is not None
    return lock
