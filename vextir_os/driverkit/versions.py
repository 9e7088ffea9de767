"""Several versions of one driver: which part of the events each gets, and which one gets this event. Pure.

The choice rests on what a redelivery keeps, so a duplicate, a takeover and another process choose alike. A version with
a larger part keeps the events that it got with a smaller one.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from vextir_os.driverkit.manifest import Manifest

WHOLE = 100
"""What weights are parts of."""

_PARTS = re.compile(r"\d+|[^\d.+_-]+")


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which version 10 comes after 9, and 2.0 after 2.0-rc."""
    pieces = _PARTS.findall(version)
    # What ends is put before numbers and behind words: 2.0-rc, 2.0, 2.0.1.
    return (*((2, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in pieces), (1, 0, ""))


def versions_of(manifests: Iterable[Manifest]) -> dict[str, tuple[Manifest, ...]]:
    """Return all versions of each driver by its id, the newest last."""
    found: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        found.setdefault(manifest.id, []).append(manifest)
    return {
        driver: tuple(sorted(versions, key=lambda each: version_key(each.version)))
        for driver, versions in found.items()
    }


def leading(versions: Sequence[Manifest]) -> Manifest:
    """Return the version that stands for the driver where no event is at hand: the heaviest, of equal ones the newest.

    Args:
        versions: One or more of one driver, the newest last.
    """
    weights = weights_of(versions, {})
    return max(reversed(versions), key=lambda each: weights[each.version])


def weights_of(versions: Sequence[Manifest], said: Mapping[str, int]) -> dict[str, float]:
    """Return the weight of each version.

    Those that nobody gave one share equally what the others leave of 100.

    Args:
        versions: All versions of one driver.
        said: What people have said since, by version; it counts instead of the manifest's weight.
    """
    given = {each.version: said.get(each.version, each.weight) for each in versions}
    open_ = [version for version, weight in given.items() if weight is None]
    left = max(0, WHOLE - sum(weight for weight in given.values() if weight is not None))
    return {version: left / len(open_) if weight is None else float(weight) for version, weight in given.items()}


def chosen(candidates: Sequence[Manifest], weights: Mapping[str, float], record: str) -> Manifest | None:
    """Return the version that gets an event; None where none of them has a weight above 0.

    Args:
        candidates: The versions of one driver that handle its type.
        weights: Of all its versions, by version.
        record: Id of the event's record: its tenant and a hash of its source and id.
    """
    ordered = sorted(candidates, key=lambda each: version_key(each.version))
    total = sum(weights[each.version] for each in ordered)
    if not total:
        return None
    place = _place(ordered[0].id, record) * total
    for each in ordered:
        weight = weights[each.version]
        if place < weight:
            return each
        place -= weight
    return next(each for each in reversed(ordered) if weights[each.version])


def _place(driver: str, record: str) -> float:
    """Return a number in [0, 1), always the same for the same driver and event."""
    digest = hashlib.blake2b(f"{driver}\n{record}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56
