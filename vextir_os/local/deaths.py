"""Looks for workers whose process is gone, and lets others go on with their work at once.

Cheap enough to be done every second: one folder is listed, and each other worker's lock is asked for once.
"""

import asyncio
import logging

from vextir_os.errors import StoreError
from vextir_os.kernel import Kernel
from vextir_os.local.presence import Remains, remains

_LOG = logging.getLogger("vextir.runner")
_LOOK_S = 1.0


class Deaths:
    """Watches over the workers of a data directory.

    Args:
        kernel: The OS; its own worker is not looked at.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._now = asyncio.Event()

    async def watch(self) -> None:
        """Look at once, then every second, and whenever `look_now` was called; until cancelled."""
        while True:
            await self.look()
            self._now.clear()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._now.wait()
            except TimeoutError:
                continue

    def look_now(self) -> None:
        """Say that a worker has just ended."""
        self._now.set()

    async def look(self) -> None:
        """Give up what is held by workers that are gone."""
        for left in remains(self._kernel.settings.data_dir, but=self._kernel.worker):
            await self._release(left)

    async def _release(self, left: Remains) -> None:
        try:
            freed = await self._kernel.departed.release(left.worker)
        except StoreError as error:
            _LOG.warning("cannot give up what worker %s held, whose process is gone: %s", left.worker, error)
            left.leave()
        except BaseException:
            left.leave()
            raise
        else:
            left.remove()
            if freed.runs or freed.messages:
                _LOG.warning(
                    "worker %s is gone: its %d runs and %d messages go to others at once",
                    left.worker,
                    freed.runs,
                    freed.messages,
                )
