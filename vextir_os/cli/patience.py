"""Publishing when there is no room just now: say so once, wait as long as the OS asks for, try again, up to a bound."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from vextir_os.errors import OverloadedError
from vextir_os.events.event import Event


async def patiently(
    publish: Callable[[], Awaitable[Sequence[Event]]],
    *,
    patience_s: float,
    tell: Callable[[str], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Sequence[Event]:
    """Return what was published.

    Args:
        publish: Publishes all or nothing.
        patience_s: Seconds of waiting, all together; 0 for none.
        tell: Hears, once, that it takes longer, and why.
        sleep: Waits.

    Raises:
        OverloadedError: There was no room in all that time; nothing was published.
    """
    waited = 0.0
    while True:
        try:
            return await publish()
        except OverloadedError as error:
            pause = min(error.retry_after_s, patience_s - waited)
            if pause <= 0:
                raise
            if not waited:
                tell(f"{error.what}; waiting for up to {patience_s:g} s")
        await sleep(pause)
        waited += pause
