"""The context: everything a driver may do besides returning a result."""

from datetime import datetime
from typing import Any, Protocol

from vextir_os.events.identity import Principal


class Context(Protocol):
    """Handed to every driver. Whatever goes through it is checked against the manifest and the policies."""

    @property
    def driver(self) -> str:
        """Id of the driver."""
        ...

    @property
    def event_id(self) -> str:
        """Id of the event that is handled."""
        ...

    @property
    def principal(self) -> Principal:
        """On whose behalf the run happens."""
        ...

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        ...

    @property
    def rerun(self) -> int:
        """0; + 1 with each replay by a person."""
        ...

    @property
    def now(self) -> datetime:
        """The store's time when this turn began; aware, UTC."""
        ...

    @property
    def traceparent(self) -> str:
        """W3C `traceparent` for calls to the outside; empty when the event belongs to no trace."""
        ...

    def heartbeat(self, note: str = "") -> None:
        """Give a sign of life; a driver with `heartbeat` in its manifest that gives none for that long is ended.

        Args:
            note: How far it is; the last one stands in the error of a run that fell silent.
        """
        ...

    def log(self, message: str, **fields: Any) -> None:
        """Write one log entry; it carries event, driver and attempt by itself. `fields` are JSON values."""
        ...
