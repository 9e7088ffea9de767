"""A backup to restore, and the data that it is of beside it."""

from pathlib import Path

from tests.support.harness import an_os
from vextir_os import Event, driver
from vextir_os.local.keeping.backup import make_backup


@driver("keep.large", capabilities=["keep.large"])
async def large(event: Event) -> dict[str, int]:
    return {"size": len(event.data["text"])}


async def back_up(folder: Path) -> Path:
    """Return a backup of one event that is done and one that waits; the data are in `folder/first/data`."""
    async with an_os(folder / "first", large, working=False) as os_:
        await os_.publish(Event(id="e-1", type="keep.large", data={"text": "x"}))
        await os_.work()
        await os_.publish(Event(id="e-2", type="keep.large", data={"text": "x"}))
    make_backup(folder / "first" / "data", "local", folder / "it.backup")
    return folder / "it.backup"
