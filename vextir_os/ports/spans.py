"""Spans: where an event stands in a trace, for those who hand it on. Only there when somebody collects traces.

What is asked is answered at once, from the arguments; spans themselves are told by observers, after the fact.
"""

from collections.abc import Sequence
from typing import Protocol

from vextir_os.events.event import Event


class Sending(Protocol):
    """One request to publish."""

    @property
    def events(self) -> Sequence[Event]:
        """The events, each with the `traceparent` of its own span."""
        ...

    def ended(self, stamped: Sequence[Event], error: str = "") -> None:
        """Say that they are on the queue, as they were stamped, or the class of the error that kept them from it."""
        ...


class Spans(Protocol):
    """Names the spans of publishing and of runs."""

    def sending(self, events: Sequence[Event]) -> Sending:
        """Begin to publish events, as their sender wrote them."""
        ...

    def of_run(self, traceparent: str, record: str, driver: str, rerun: int, fence: int) -> str:
        """Return the `traceparent` of one claim of a run: that of its span. The same for the same arguments.

        Args:
            traceparent: Of the event; may be empty.
            record: Id of the record.
            driver: Id of the driver.
            rerun: Of the run.
            fence: Of the claim.
        """
        ...
