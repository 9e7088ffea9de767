"""Observers: told, after the fact and in process, of what took effect in this process. Never asked, never awaited."""

from typing import Protocol

from vextir_os.events.event import Event
from vextir_os.runs.record import RecordDoc


class Observer(Protocol):
    """Told of what took effect. Must not raise and must not wait."""

    def emitted(self, event: Event) -> None:
        """Say that a run's commit published this event."""
        ...

    def recorded(self, record: RecordDoc) -> None:
        """Say that a record was created, claimed, or that a run of it ended."""
        ...

    def quarantined(self, reason: str, document_id: str) -> None:
        """Say that a message became a dead letter."""
        ...


class Observers:
    """An observer that passes on to others, in the order they joined."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: list[Observer] = []

    def add(self, member: Observer) -> None:
        """Let one more observer join."""
        self._members.append(member)

    def remove(self, member: Observer) -> None:
        """Let an observer leave."""
        self._members.remove(member)

    def emitted(self, event: Event) -> None:
        """Pass it on."""
        for member in self._members:
            member.emitted(event)

    def recorded(self, record: RecordDoc) -> None:
        """Pass it on."""
        for member in self._members:
            member.recorded(record)

    def quarantined(self, reason: str, document_id: str) -> None:
        """Pass it on."""
        for member in self._members:
            member.quarantined(reason, document_id)
