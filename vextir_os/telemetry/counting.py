"""The observer behind `/metrics`: it adds to plain integers, so that an event pays for a few additions and no more.

Names, labels and text are made when somebody looks (`exposition.py`).
"""

from typing import TYPE_CHECKING

from vextir_os.errors import ConflictError, DeniedError, StoreError, VextirError
from vextir_os.events.event import Event
from vextir_os.events.names import is_reserved
from vextir_os.ports.clock import Clock
from vextir_os.ports.queue import Delivery
from vextir_os.processor.observe import Observer, Settled
from vextir_os.runs.record import RecordDoc, status
from vextir_os.telemetry.counts import Counts

if TYPE_CHECKING:
    from vextir_os.processor.sweep import Swept
    from vextir_os.processor.turn import Turn

_DRIVERS = len("/drivers/")


class Counting(Observer):
    """Counts from the moment it joins the observers.

    Args:
        clock: The store's time.
    """

    def __init__(self, clock: Clock) -> None:
        self.counts = Counts()
        self._time = clock.time

    def published(self, event: Event) -> None:
        """Count an event by its type, and the decision that let it in."""
        self.counts.published.add(event.type)
        self.counts.decided("publish", "allow")

    def refused(self, error: VextirError) -> None:
        """Count it by its code, and the decision if it was one."""
        self.counts.refused.add(error.code)
        if isinstance(error, DeniedError):
            self.counts.decided("publish", "deny")

    def received(self, delivery: Delivery) -> None:
        """Count it."""
        self.counts.received += 1
        if delivery.count > 1:
            self.counts.again += 1

    def admitted(self, turn: "Turn", record: RecordDoc) -> None:
        """Count the decision, and how long the event waited; one without drivers is over."""
        counts = self.counts
        counts.admitted += 1
        counts.decided("process", record["decision"]["effect"])
        counts.wait.add(record["created"] - turn.delivery.enqueued_at)
        if "ttl" in record and not record["runs"]:
            self._finished(turn, record)

    def emitted(self, event: Event) -> None:
        """Count it for its driver, and the decision that allowed it."""
        self.counts.driver(event.source[_DRIVERS:]).emitted += 1
        # What the OS tells of a failure, nobody decides on.
        if not is_reserved(event.type):
            self.counts.decided("emit", "allow")

    def ended(self, turn: "Turn", record: RecordDoc, driver: str) -> None:
        """Count the attempt, and the event if it is over with it."""
        run, counts = record["runs"][driver], self.counts
        mine = counts.driver(driver)
        started, ended, state = run["started"], run["ended"], run["state"]
        if started is not None and ended is not None:
            mine.duration.add(ended - started)
        if state == "retry":
            mine.retries += 1
        else:
            mine.states[state] = mine.states.get(state, 0) + 1
        if state == "dead":
            counts.dead_letters["run"] += 1
        if "ttl" in record:
            self._finished(turn, record)

    def lost(self, driver: str) -> None:
        """Count it."""
        self.counts.driver(driver).lost += 1

    def unwell(self, driver: str) -> None:
        """Count the answer."""
        self.counts.driver(driver).unwell += 1

    def quarantined(self, reason: str, document_id: str) -> None:  # noqa: ARG002 - told all the same
        """Count it."""
        self.counts.dead_letters["message"] += 1

    def settled(self, settlement: Settled) -> None:
        """Count it."""
        self.counts.settled[settlement] += 1

    def missed(self, error: StoreError) -> None:
        """Count it by what was met: another's write, or no answer."""
        self.counts.missed["conflict" if isinstance(error, ConflictError) else "unavailable"] += 1

    def swept(self, swept: "Swept") -> None:
        """Add up."""
        done = self.counts.swept
        done["sweeps"] += 1
        done["knocked"] += swept.knocked
        done["drained"] += swept.drained
        done["purged"] += swept.purged

    def unlogged(self, lines: int) -> None:
        """Count them."""
        self.counts.unlogged += lines

    def _finished(self, turn: "Turn", record: RecordDoc) -> None:
        word = status(record)
        if word == "unrouted" and turn.event is not None and is_reserved(turn.event.type):
            # What the OS itself tells may interest nobody.
            word = "ok"
        self.counts.finished.add(word)
        # What a knock says of its own time says nothing of the event's.
        began = turn.delivery.enqueued_at if turn.knock is None else record["created"]
        self.counts.latency.add(self._time() - began)
