"""Observers: told, after the fact and in process, of what took effect in this process. Never asked, never awaited.

What is told of hangs here: the bus, the narrator, metrics, logs, traces. An event pays for those who listen, and for
nobody else: what no member listens to is a loop over nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from vextir_os.errors import StoreError, VextirError
from vextir_os.events.event import Event
from vextir_os.ports.queue import Delivery
from vextir_os.runs.record import RecordDoc

if TYPE_CHECKING:
    from vextir_os.processor.sweep import Swept
    from vextir_os.processor.turn import Turn

Settled = Literal["complete", "settled", "abandoned"]
"""What became of a delivery: completed by the runner, with a commit, or given back after an infrastructure error."""


class Observer:
    """Told of what took effect; a member overrides what it listens to. Must not raise and must not wait."""

    def published(self, event: Event) -> None:
        """Hear that an event which came in by an edge is durable on the queue."""

    def refused(self, error: VextirError) -> None:
        """Hear that a request to publish was not accepted, and why."""

    def received(self, delivery: Delivery) -> None:
        """Hear that a delivery came from the queue."""

    def admitted(self, turn: "Turn", record: RecordDoc) -> None:
        """Hear that a record was created, with its decision."""

    def emitted(self, event: Event) -> None:
        """Hear that a run's commit published this event."""

    def ended(self, turn: "Turn", record: RecordDoc, driver: str) -> None:
        """Hear that an attempt of this driver's run was committed: it is `done`, `retry` or `dead` now."""

    def recorded(self, record: RecordDoc) -> None:
        """Hear that a record was created, claimed, or that a run of it ended."""

    def lost(self, driver: str) -> None:
        """Hear that a run was dropped unwritten: another worker has it."""

    def unwell(self, driver: str) -> None:
        """Hear that a started driver was asked how it is, and is not well."""

    def quarantined(self, reason: str, document_id: str) -> None:
        """Hear that a message became a dead letter."""

    def settled(self, settlement: Settled) -> None:
        """Hear what became of a delivery."""

    def missed(self, error: StoreError) -> None:
        """Hear that a write to a record was refused, or got no answer, and is looked at again."""

    def swept(self, swept: "Swept") -> None:
        """Hear what a sweep did."""

    def unlogged(self, lines: int) -> None:
        """Hear how many lines the log had no room for. Told from the log's thread."""


_HOOKS = tuple(name for name in vars(Observer) if not name.startswith("_"))


class Observers(Observer):
    """An observer that passes on to others, in the order they joined; to each only what it listens to."""

    __slots__ = ("_hear", "_members")

    def __init__(self) -> None:
        self._members: list[Observer] = []
        self._hear: dict[str, tuple[Callable[..., None], ...]] = {}
        self._sort()

    def add(self, member: Observer) -> None:
        """Let one more observer join."""
        self._members.append(member)
        self._sort()

    def remove(self, member: Observer) -> None:
        """Let an observer leave."""
        self._members.remove(member)
        self._sort()

    def _sort(self) -> None:
        for name in _HOOKS:
            nothing = getattr(Observer, name)
            listening = [one for one in self._members if getattr(type(one), name) is not nothing]
            self._hear[name] = tuple(getattr(one, name) for one in listening)

    def published(self, event: Event) -> None:
        """Pass it on."""
        for hear in self._hear["published"]:
            hear(event)

    def refused(self, error: VextirError) -> None:
        """Pass it on."""
        for hear in self._hear["refused"]:
            hear(error)

    def received(self, delivery: Delivery) -> None:
        """Pass it on."""
        for hear in self._hear["received"]:
            hear(delivery)

    def admitted(self, turn: "Turn", record: RecordDoc) -> None:
        """Pass it on."""
        for hear in self._hear["admitted"]:
            hear(turn, record)

    def emitted(self, event: Event) -> None:
        """Pass it on."""
        for hear in self._hear["emitted"]:
            hear(event)

    def ended(self, turn: "Turn", record: RecordDoc, driver: str) -> None:
        """Pass it on."""
        for hear in self._hear["ended"]:
            hear(turn, record, driver)

    def recorded(self, record: RecordDoc) -> None:
        """Pass it on."""
        for hear in self._hear["recorded"]:
            hear(record)

    def lost(self, driver: str) -> None:
        """Pass it on."""
        for hear in self._hear["lost"]:
            hear(driver)

    def unwell(self, driver: str) -> None:
        """Pass it on."""
        for hear in self._hear["unwell"]:
            hear(driver)

    def quarantined(self, reason: str, document_id: str) -> None:
        """Pass it on."""
        for hear in self._hear["quarantined"]:
            hear(reason, document_id)

    def settled(self, settlement: Settled) -> None:
        """Pass it on."""
        for hear in self._hear["settled"]:
            hear(settlement)

    def missed(self, error: StoreError) -> None:
        """Pass it on."""
        for hear in self._hear["missed"]:
            hear(error)

    def swept(self, swept: "Swept") -> None:
        """Pass it on."""
        for hear in self._hear["swept"]:
            hear(swept)

    def unlogged(self, lines: int) -> None:
        """Pass it on."""
        for hear in self._hear["unlogged"]:
            hear(lines)
