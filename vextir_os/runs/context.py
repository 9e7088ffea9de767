"""What a driver is handed beside its event. Everything that it may do besides returning goes through here."""

import logging
from datetime import UTC, datetime
from typing import Any

from vextir_os.driverkit.beats import Beats
from vextir_os.events.identity import Principal

_LOG = logging.getLogger("vextir.driver")


class RunContext:
    """One turn of one run; implements `driverkit.context.Context`. Its values never change during the turn."""

    __slots__ = (
        "_beats", "_correlation_id", "_now", "_record", "attempt", "driver", "event_id", "principal", "rerun",
        "traceparent",
    )  # fmt: skip

    def __init__(
        self,
        *,
        driver: str,
        event_id: str,
        principal: Principal,
        attempt: int,
        rerun: int,
        now: float,
        record: str = "",
        correlation_id: str = "",
        traceparent: str = "",
        beats: Beats | None = None,
    ) -> None:
        self.driver = driver
        self.event_id = event_id
        self.principal = principal
        self.attempt = attempt
        self.rerun = rerun
        self.traceparent = traceparent
        self._now = now
        self._beats = beats
        self._record = record
        self._correlation_id = correlation_id

    @property
    def now(self) -> datetime:
        """The store's time when this turn began; aware, UTC."""
        return datetime.fromtimestamp(self._now, UTC)

    def heartbeat(self, note: str = "") -> None:
        """Give a sign of life; nothing where nobody waits for one."""
        if self._beats is not None:
            self._beats.beat(note)

    def log(self, message: str, **fields: Any) -> None:
        """Write one log line at level INFO, with what it belongs to; `fields` stand by themselves and replace none."""
        if _LOG.isEnabledFor(logging.INFO):
            bound = {
                "event_id": self.event_id,
                "run": f"{self._record}/{self.driver}/{self.rerun}",
                "driver": self.driver,
                "correlation_id": self._correlation_id,
                "tenant": self.principal.tenant,
                "attempt": self.attempt,
                "traceparent": self.traceparent,
                "fields": fields,
            }
            # What a driver says is text, whatever signs are in it; without arguments nothing in it is a place for one.
            _LOG.info(message, extra={"vextir": bound})
