"""The `Queue` port: one entity of the broker, seen by those who use it."""

import asyncio
from collections.abc import Sequence

from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.ports.queue import Delivery, Message


class SqliteQueue:
    """One queue of the broker. All methods are as the port says; priority and fairness included.

    Args:
        broker: Where the entity is declared.
        name: Its name, in any case.
    """

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self._name = name

    @property
    def name(self) -> str:
        """Name of the entity behind it."""
        return self._name

    def send(self, messages: Sequence[Message], *, at: float | None = None) -> "asyncio.Future[list[int]]":
        """As the port says."""
        return self._broker.send(self._name, messages, at=at)

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """As the port says."""
        return await self._broker.receive(self._name, limit, wait)

    async def complete(self, token: str) -> None:
        """As the port says."""
        await self._broker.complete(token)

    async def abandon(self, token: str) -> None:
        """As the port says."""
        await self._broker.abandon(token)

    async def dead_letter(self, token: str, *, reason: str, description: str = "") -> None:
        """As the port says."""
        await self._broker.dead_letter(token, reason=reason, description=description)

    async def renew(self, token: str) -> float:
        """As the port says."""
        return await self._broker.renew(token)

    async def cancel_scheduled(self, sequence: int) -> None:
        """As the port says."""
        await self._broker.cancel_scheduled(self._name, sequence)
