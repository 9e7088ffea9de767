"""What a driver is handed beside its event. Everything that it may do besides returning goes through here."""

import logging
from datetime import UTC, datetime
from typing import Any

from vextir_os.events.identity import Principal

_LOG = logging.getLogger("vextir.driver")


class RunContext:
    """One turn of one run; implements `driverkit.context.Context`. Its values never change during the turn."""

    __slots__ = ("_now", "attempt", "driver", "event_id", "principal", "rerun")

    def __init__(
        self, *, driver: str, event_id: str, principal: Principal, attempt: int, rerun: int, now: float
    ) -> None:
        self.driver = driver
        self.event_id = event_id
        self.principal = principal
        self.attempt = attempt
        self.rerun = rerun
        self._now = now

    @property
    def now(self) -> datetime:
        """The store's time when this turn began; aware, UTC."""
        return datetime.fromtimestamp(self._now, UTC)

    def log(self, message: str, **fields: Any) -> None:
        """Write one log entry at level INFO, with event, driver and attempt."""
        _LOG.info(
            message,
            extra={"vextir": {"event": self.event_id, "driver": self.driver, "attempt": self.attempt, **fields}},
        )
