"""What a driver may return: nothing, an event, a list of events, an output, or both as a `Result`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vextir_os.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An output and the events to emit with it.

    Attributes:
        output: A JSON value, a pydantic model or a dataclass; stands on the run's record.
        events: Emitted when the run commits, with ids derived by the OS.
    """

    output: Any = None
    events: Sequence[Event] = ()
