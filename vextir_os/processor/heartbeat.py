"""Watching over a driver that has promised to beat: one that does not for too long ends, as at the end of its time-out.

Looked at four times in the time that it may be silent for, whatever it does in between; a beat costs an addition.
"""

import asyncio

from vextir_os.driverkit.beats import Beats
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import HeartbeatError

_LOOKS = 4


class Watch:
    """Watches the beats of one turn; ends it by its time-out.

    Args:
        beats: Of the turn.
        heartbeat_s: How long the driver may be silent, in seconds.
        limit: The time-out of the turn, entered.
    """

    def __init__(self, beats: Beats, heartbeat_s: float, limit: asyncio.Timeout) -> None:
        self.missed = False
        self._beats = beats
        self._every_s = heartbeat_s / _LOOKS
        self._limit = limit
        self._seen = beats.count
        self._silent = 0
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._every_s, self._look)

    def end(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _look(self) -> None:
        self._silent = 0 if self._beats.count != self._seen else self._silent + 1
        self._seen = self._beats.count
        if self._silent < _LOOKS:
            self._timer = self._loop.call_later(self._every_s, self._look)
        elif not self._limit.expired():
            self.missed = True
            self._limit.reschedule(self._loop.time())


def missed(manifest: Manifest, beats: Beats) -> HeartbeatError:
    """Return the error of a turn whose driver was silent for too long."""
    last = f"; its last note was {beats.note!r}" if beats.note else ""
    never = "" if beats.count else ", and not once before"
    return HeartbeatError(
        f"driver {manifest.id} gave no heartbeat for {manifest.heartbeat_s:g} s{never}{last}",
        hint="Call ctx.heartbeat() more often, or raise its `heartbeat`",
    )
