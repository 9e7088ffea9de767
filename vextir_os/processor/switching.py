"""What people switch of drivers: off and on, and the weights of their versions. Asks policy, writes one document.

It is the document of pauses, and processes hear of it as they do of these, within 5 s. A driver that is off gets no new
event; what it has begun goes on, retries and replays too.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.versions import WHOLE, weights_of
from vextir_os.errors import DeniedError, InvalidEventError, RunStateError, did_you_mean
from vextir_os.events.attributes import check_prose
from vextir_os.events.identity import Principal
from vextir_os.policy.model import Request
from vextir_os.processor.turn import Parts
from vextir_os.runs import statefile
from vextir_os.runs.pauses import no_pauses
from vextir_os.runs.switches import OffDoc, SwitchesDoc, WeightsDoc, turned_off, turned_on, weighed


class Switching:
    """Switches drivers on behalf of a principal.

    All methods raise `DeniedError` where no policy allows `admin:switch`, `UnknownDriverError` for a driver that is not
    here, and `InvalidEventError` for a reason or a weight that is none.

    Args:
        parts: What the stages work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def off(self, driver: str, who: Principal, *, reason: str = "") -> OffDoc:
        """Give a driver no new events; return who did it and when. Said again, the newer word counts.

        Args:
            driver: Its id; all its versions.
            who: Who asks, as the edge authenticated.
            reason: Why, for those who look at it later; it stands on the records of the events that go past it.
        """
        check_prose("reason", reason)
        self._check(driver, who)
        entry: OffDoc = {"by": str(who), "at": self._parts.desk.clock.time(), "reason": reason}
        await self._change(lambda doc: turned_off(doc, driver, entry))
        return entry

    async def on(self, driver: str, who: Principal) -> None:
        """Give a driver new events again; those that went past it stay as they are. Raises `NotFoundError`: is on."""
        check_prose("driver", driver)
        self._allow(who)
        was_off = False

        def change(doc: SwitchesDoc) -> SwitchesDoc | None:
            nonlocal was_off
            if was_off and driver not in doc.get("off", {}):
                # The own write, whose answer was lost.
                return None
            after = turned_on(doc, driver)
            was_off = True
            return after

        await self._change(change)

    async def weigh(self, driver: str, weights: Mapping[str, int], who: Principal) -> Mapping[str, float]:
        """Set the weights of some versions of a driver, and return those of all; none gives it back to the manifests.

        Args:
            driver: Its id.
            weights: By version, 0 to 100.
            who: Who asks, as the edge authenticated.

        Raises:
            RunStateError: It has one version.
        """
        self._check(driver, who)
        versions = self._versions(driver)
        for version, weight in weights.items():
            _check_weight(driver, version, weight, [each.version for each in versions])
        # A version that nobody names keeps what was said of it before.
        said = self._parts.paused.now.weights.get(driver)
        of = {**(said["of"] if said is not None and weights else {}), **weights}
        entry: WeightsDoc = {"by": str(who), "at": self._parts.desk.clock.time(), "of": of}
        await self._change(lambda doc: weighed(doc, driver, entry))
        return weights_of(versions, of)

    async def listed(self) -> SwitchesDoc:
        """Return what is switched now."""
        await self._parts.paused.refresh()
        now = self._parts.paused.now
        return {"off": dict(now.off), "weights": dict(now.weights)}

    def _versions(self, driver: str) -> tuple[Manifest, ...]:
        versions = self._parts.registry.versions.get(driver)
        if versions is None:
            raise RunStateError(
                f"driver {driver[:128]} has one version, which gets all its events",
                hint="Install another beside it, with the same id and another `version`; or: vextir drivers off",
            )
        return versions

    async def _change(self, change: Callable[[SwitchesDoc], SwitchesDoc | None]) -> None:
        def changed(doc: dict[str, Any]) -> Mapping[str, Any] | None:
            return cast("Mapping[str, Any] | None", change(cast(SwitchesDoc, doc)))

        await statefile.change(self._parts.desk.store, no_pauses(), changed)
        await self._parts.paused.refresh()

    def _check(self, driver: str, who: Principal) -> None:
        check_prose("driver", driver)
        if self._parts.registry.manifests:
            self._parts.registry.get(driver)
        self._allow(who)

    def _allow(self, who: Principal) -> None:
        decision = self._parts.policy.decide(Request(verb="admin", resource="switch", principal=who))
        if not decision.allowed:
            raise DeniedError(
                f"{who} may not switch any driver: {decision.reason}",
                hint="Ask who keeps the policies to allow `admin:switch`",
                policy_id=decision.policy_id,
            )


def shares_of(versions: tuple[Manifest, ...], switches: SwitchesDoc) -> Mapping[str, float]:
    """Return which part of 1 of the new events each version of a driver gets."""
    entry = switches.get("weights", {}).get(versions[0].id)
    weights = weights_of(versions, entry["of"] if entry is not None else {})
    total = sum(weights.values())
    return {version: weight / total if total else 0.0 for version, weight in weights.items()}


def _check_weight(driver: str, version: str, weight: object, known: list[str]) -> None:
    if version not in known:
        hint = did_you_mean(version, known) or f"It has {', '.join(known)}"
        raise InvalidEventError(f"driver {driver} has no version {version[:64]!r}", hint=hint)
    if type(weight) is not int or not 0 <= weight <= WHOLE:
        raise InvalidEventError(f"{weight!r:.40} is no weight", hint=f"Use a whole number from 0 to {WHOLE}")
