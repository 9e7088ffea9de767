"""Asking started class drivers how they are. One that is not well is told of, in log, metrics and lists; never ended.

Asked are instances of this process: what runs on threads or in processes of its own answers nobody here.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, cast

from vextir_os.driverkit.call import LoadedDriver
from vextir_os.errors import NotFoundError
from vextir_os.processor.turn import Parts
from vextir_os.runs import statefile
from vextir_os.runs.healthfile import HEALTH, HealthDoc, UnwellDoc, all_well, said_by, unwell_now
from vextir_os.runs.record import STATE

EVERY_S = 15.0
"""Seconds between two questions."""

ANSWER_S = 5.0
"""Seconds that a driver has for its answer."""

_COUNTS_S = 4 * EVERY_S
_REASON_CHARS = 200
_LOG = logging.getLogger("vextir.driver")


class Health:
    """Knows which of its drivers are not well. Used from one event loop.

    Args:
        parts: What the stages work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._unwell: dict[str, UnwellDoc] = {}

    async def ask(self) -> None:
        """Ask all started drivers, and write down which are not well. A driver without `health` is well.

        Raises:
            StoreUnavailableError: The store did not answer; the log has told already.
        """
        asked = [driver for driver in self._parts.registry.at_hand if driver.instance and driver.instance.is_started]
        answers = await asyncio.gather(*map(_answer, asked))
        now, before = self._parts.desk.clock.time(), self._unwell
        self._unwell = {
            _name(self._parts, driver): {
                "reason": reason,
                "since": before.get(_name(self._parts, driver), {"since": now})["since"],
                "until": now + _COUNTS_S,
            }
            for driver, reason in zip(asked, answers, strict=True)
            if reason
        }
        for driver, said in self._unwell.items():
            self._parts.observer.unwell(driver)
            if driver not in before:
                _LOG.warning("driver %s is not well: %s", driver, said["reason"])
        for driver in before.keys() - self._unwell.keys():
            _LOG.warning("driver %s is well again", driver)
        if before or self._unwell:
            await statefile.change(self._parts.desk.store, all_well(), self._said)

    async def known(self) -> Mapping[str, UnwellDoc]:
        """Return the drivers that are not well, in whatever process: by id, behind an `@` the version of several."""
        desk = self._parts.desk
        try:
            stored = await desk.store.read(STATE, HEALTH, HEALTH)
        except NotFoundError:
            return {}
        return unwell_now(stored.document, now=desk.clock.time())

    def _said(self, doc: dict[str, Any]) -> Mapping[str, Any] | None:
        now = self._parts.desk.clock.time()
        after = said_by(cast(HealthDoc, doc), self._parts.worker, self._unwell, now=now)
        return cast("Mapping[str, Any] | None", after)


async def _answer(driver: LoadedDriver) -> str:
    """Return what is wrong with a driver, in its words; empty when it is well."""
    if driver.instance is None:
        return ""
    try:
        async with asyncio.timeout(ANSWER_S):
            said: object = await driver.instance.health()
    except TimeoutError:
        return f"it did not answer within {ANSWER_S:g} s"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a driver may raise anything
        return _plain(f"{type(error).__name__}: {error}")
    if said is None or said is True or said == "":
        return ""
    return "it says no more" if said is False else _plain(str(said))


def _plain(text: str) -> str:
    """Return text of a driver without anything that a terminal or a log would obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_REASON_CHARS])


def _name(parts: Parts, driver: LoadedDriver) -> str:
    manifest = driver.manifest
    return f"{manifest.id}@{manifest.version}" if manifest.id in parts.registry.versions else manifest.id
