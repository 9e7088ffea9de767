"""`GET /metrics`: what Prometheus reads of this process. Bounded in time, however much the storage holds."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

import vextir_os
from vextir_os.errors import StoreError
from vextir_os.kernel import Kernel
from vextir_os.ports.gauges import Gauges
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.sharing import COUNTS, forget, together

METRICS = "/metrics"

_STORAGE_S = 2.0


class Metrics:
    """Counts from now on, and answers scrapes: for this process and for those that leave their counts beside it.

    Args:
        kernel: The OS; stays open as long as scrapes are answered.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._counting = Counting(kernel.clock)
        self._one = asyncio.Lock()
        self._folder = kernel.settings.data_dir / COUNTS
        forget(self._folder)
        kernel.observers.add(self._counting)

    async def answer(self, request: Request) -> Response:
        """Return all metrics in the format that the request accepts; those of the storage if it answers in 2 s."""
        from vextir_os.telemetry.exposition import Scrape, expose

        # One at a time: many at once would read the same numbers, and all of them slower.
        async with self._one:
            scrape = Scrape(
                counts=await asyncio.to_thread(together, self._counting.counts, self._folder),
                gauges=await self._gauges(),
                now=self._kernel.clock.time(),
                version=vextir_os.__version__,
            )
            # Beside the event loop, since many drivers make much text.
            text, content_type = await asyncio.to_thread(expose, scrape, request.headers.get("accept", ""))
        return Response(text, 200, {"Content-Type": content_type})

    async def _gauges(self) -> Gauges | None:
        try:
            async with asyncio.timeout(_STORAGE_S):
                return await self._kernel.storage.gauges()
        except (StoreError, TimeoutError):
            return None
