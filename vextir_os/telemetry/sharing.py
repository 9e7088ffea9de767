"""Counts of several processes as one: each worker process leaves its own in a file, a scrape adds them up.

A file stays when its worker ends: what it did was done. It is written as a whole each time, so what is lost with one
comes back with the next writing.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from vextir_os.events import jsonio
from vextir_os.telemetry.counts import Buckets, Counts

COUNTS = "counts"
"""Folder of the files, in the data directory."""

_EVERY_S = 2.0
_MOST_BYTES = 10_000_000
_PAIR = " "
_PLAIN = ("admitted", "received", "again", "unlogged")
_BY_LABEL = ("published", "refused", "finished", "dead_letters", "settled", "missed", "swept")
_TIMES = ("wait", "latency")
_OF_DRIVER = ("retries", "lost", "emitted", "unwell")


@contextlib.asynccontextmanager
async def shared(folder: Path, worker: str, counts: Counts) -> AsyncIterator[None]:
    """Leave the counts of this process in the folder while the block runs, every two seconds, and at its end.

    Args:
        folder: In the data directory.
        worker: Names this process.
        counts: May go on while they are written.
    """
    file = folder / f"{worker}.json"
    sharing = asyncio.create_task(_share(file, counts), name="vextir-counts")
    try:
        yield
    finally:
        sharing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sharing
        _write(file, as_json(counts))


def forget(folder: Path) -> None:
    """Remove what processes of an earlier start left; those that still run write theirs again."""
    for file in folder.glob("*.json"):
        with contextlib.suppress(OSError):
            file.unlink()


def together(own: Counts, folder: Path) -> Counts:
    """Return the counts of this process and of all that left theirs; what cannot be read is left out."""
    found = Counts()
    _add(found, as_json(own))
    for file in sorted(folder.glob("*.json")):
        with contextlib.suppress(Exception):
            if file.stat().st_size <= _MOST_BYTES:
                read = Counts()
                # First into one that is thrown away: half of a file is no count.
                _add(read, document := jsonio.loads(file.read_bytes()))
                _add(found, document)
    return found


def as_json(counts: Counts) -> dict[str, Any]:
    """Return counts as a JSON document."""
    return {
        **{name: getattr(counts, name) for name in _PLAIN},
        **{name: dict(list(getattr(counts, name).items())) for name in _BY_LABEL},
        **{name: _times(getattr(counts, name)) for name in _TIMES},
        "decisions": {_PAIR.join(key): count for key, count in list(counts.decisions.items())},
        "drivers": {
            name: {
                **{what: getattr(driver, what) for what in _OF_DRIVER},
                "states": dict(list(driver.states.items())),
                "duration": _times(driver.duration),
            }
            for name, driver in list(counts.drivers.items())
        },
    }


def _add(counts: Counts, document: Mapping[str, Any]) -> None:
    for name in _PLAIN:
        setattr(counts, name, getattr(counts, name) + int(document[name]))
    for name in _BY_LABEL:
        _add_labels(getattr(counts, name), document[name])
    for name in _TIMES:
        _add_times(getattr(counts, name), document[name])
    for key, count in document["decisions"].items():
        verb, effect = key.split(_PAIR)
        counts.decided(verb, effect, int(count))
    for name, theirs in document["drivers"].items():
        driver = counts.driver(name)
        for what in _OF_DRIVER:
            setattr(driver, what, getattr(driver, what) + int(theirs[what]))
        _add_labels(driver.states, theirs["states"])
        _add_times(driver.duration, theirs["duration"])


def _add_labels(mine: dict[str, int], theirs: Mapping[str, int]) -> None:
    for label, count in theirs.items():
        mine[label] = mine.get(label, 0) + int(count)


def _times(buckets: Buckets) -> dict[str, Any]:
    return {"counts": list(buckets.counts), "total": buckets.total}


def _add_times(mine: Buckets, theirs: Mapping[str, Any]) -> None:
    mine.counts = [one + int(other) for one, other in zip(mine.counts, theirs["counts"], strict=True)]
    mine.total += float(theirs["total"])


async def _share(file: Path, counts: Counts) -> None:
    written: dict[str, Any] | None = None
    while True:
        now = as_json(counts)
        if now != written:
            await asyncio.to_thread(_write, file, now)
            written = now
        await asyncio.sleep(_EVERY_S)


def _write(file: Path, document: Mapping[str, Any]) -> None:
    # Where there is no room for them, the counts are told by the next writing, or by none: the OS goes on.
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.touch(mode=0o600)
        new.write_bytes(jsonio.dumps(document))
        new.replace(file)
