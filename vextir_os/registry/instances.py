"""Stopping the instances of class drivers. Best effort, in a bounded time: nothing may depend on it."""

import asyncio
import logging
from collections.abc import Iterable

from vextir_os.driverkit.call import LoadedDriver
from vextir_os.driverkit.instance import Instance

STOP_S = 5.0
"""Seconds that `stop` of a driver may take."""

_LOG = logging.getLogger("vextir.driver")


async def stop_all(drivers: Iterable[LoadedDriver]) -> None:
    """Stop the instances of these drivers, all at once; what fails or takes too long is told in the log."""
    instances = [(driver.manifest.id, driver.instance) for driver in drivers if driver.instance is not None]
    if instances:
        await asyncio.gather(*(_stop(driver, instance) for driver, instance in instances))


async def _stop(driver: str, instance: Instance) -> None:
    try:
        async with asyncio.timeout(STOP_S):
            await instance.stop()
    except TimeoutError:
        _LOG.warning("driver %s did not stop within %g s", driver, STOP_S)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a driver may raise anything; the others are stopped too
        _LOG.warning("driver %s did not stop cleanly: %s: %s", driver, type(error).__name__, error)
