"""Which drivers get an event, where people steer that: what is off gets none, of several versions one does. Pure."""

from collections.abc import Mapping, Sequence

from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.versions import chosen, weights_of
from vextir_os.processor.turn import Parts
from vextir_os.runs.pauses import Pauses
from vextir_os.runs.record import RecordDoc
from vextir_os.runs.switches import off_reason

_NOBODY: Mapping[str, int] = {}


def choose(
    parts: Parts, found: Sequence[Manifest], record: str, *, best: bool
) -> tuple[tuple[Manifest, ...], Mapping[str, str]]:
    """Return the drivers that get a new event, one version of each, and why others that handle its type do not.

    Args:
        parts: For the versions there are, and what is switched.
        found: All that handle the type, in the order of the route.
        record: Id of the event's record.
        best: Whether only the first of those that get it does.
    """
    pauses = parts.paused.now
    drivers: dict[str, Manifest] = {}
    left_out: dict[str, str] = {}
    for manifest in found:
        driver = manifest.id
        if driver in drivers or driver in left_out:
            continue
        off = pauses.off.get(driver)
        if off is not None:
            left_out[driver] = off_reason(driver, off)
            continue
        versions = parts.registry.versions.get(driver)
        one: Manifest | None = manifest
        if versions is not None:
            one = chosen([each for each in found if each.id == driver], _weights(versions, pauses), record)
        if one is None:
            left_out[driver] = f"driver {driver} has no version for this type with a weight above 0"
            continue
        drivers[driver] = one
        if best:
            break
    return tuple(drivers.values()), left_out


def driver_of(parts: Parts, record: RecordDoc, driver: str) -> Manifest | None:
    """Return the driver that a run goes on with: its own version while that is installed, else the one it gets now.

    None when the driver is not installed here.
    """
    versions = parts.registry.versions.get(driver) if parts.registry.versions else None
    version = record["runs"][driver].get("version", "")
    if versions is None or any(each.version == version for each in versions):
        return parts.registry.find(driver, version)
    now = chosen(versions, _weights(versions, parts.paused.now), record["id"])
    return now or parts.registry.find(driver)


def _weights(versions: Sequence[Manifest], pauses: Pauses) -> Mapping[str, float]:
    entry = pauses.weights.get(versions[0].id)
    return weights_of(versions, entry["of"] if entry is not None else _NOBODY)
