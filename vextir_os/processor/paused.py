"""What is paused, as this process knows it: kept in memory, read again after five seconds. Writes nothing.

So another process's pause holds back what is begun five seconds after it at the latest, and an event costs no read.
"""

import contextlib
import math

from vextir_os.errors import NotFoundError, StoreUnavailableError
from vextir_os.ports.clock import Clock
from vextir_os.ports.store import Store
from vextir_os.runs.pauses import PAUSES, Pauses, pauses_in
from vextir_os.runs.record import STATE

FRESH_S = 5.0
"""How old what is known may be."""


class Paused:
    """The newest known pauses.

    Args:
        store: Where they are kept.
        clock: Says how old they are.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.now = Pauses()
        self._store = store
        self._clock = clock
        self._etag = ""
        self._fresh_until = -math.inf

    @property
    def is_stale(self) -> bool:
        """Whether `refresh` is due."""
        return self._clock.monotonic() >= self._fresh_until

    async def refresh(self) -> None:
        """Read the pauses; where the store does not answer, what was known before holds on for a while.

        Raises:
            StoreUnavailableError: Nothing was known before.
        """
        known = self._fresh_until > -math.inf
        if known:
            # Whoever comes meanwhile goes on with what is known.
            self._fresh_until = self._clock.monotonic() + FRESH_S
        try:
            with contextlib.suppress(StoreUnavailableError) if known else contextlib.nullcontext():
                stored = await self._store.read(STATE, PAUSES, PAUSES)
                if stored.etag != self._etag:
                    self.now, self._etag = pauses_in(stored.document), stored.etag
        except NotFoundError:
            self.now, self._etag = Pauses(), ""
        self._fresh_until = self._clock.monotonic() + FRESH_S
