"""`vextir events --follow`: one line when an event is admitted, and one at each change of its status.

Other processes write the store, and nothing tells this one: it looks every 200 ms. It reads what is new, and those
events again that were not over yet.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

from vextir_os.cli.events import event_line
from vextir_os.cli.options import Format
from vextir_os.cli.output import table_lines
from vextir_os.cli.project import open_to_read
from vextir_os.cli.screen import Screen
from vextir_os.cli.text import visible_json
from vextir_os.errors import NotFoundError
from vextir_os.events.filters import EventFilter
from vextir_os.kernel import Kernel
from vextir_os.runs import reading
from vextir_os.runs.record import EVENTS, RecordDoc, is_finished, status
from vextir_os.settings import Settings

_LOOK_S = 0.2
_REMEMBERED = 1_000
_WATCHED = 1_000

Row = Mapping[str, Any]


class Follower:
    """Knows what was seen already, and reads what has changed since.

    Args:
        kernel: Where to read.
        keep: What to follow.
    """

    def __init__(self, kernel: Kernel, keep: EventFilter) -> None:
        self._kernel = kernel
        self._keep = keep
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._open: dict[str, tuple[str, str]] = {}

    async def begin(self, limit: int) -> list[Row]:
        """Return the newest rows, at most `limit`, the oldest of them first; what follows is counted from here."""
        return await self._fresh(limit)

    async def changes(self) -> list[Row]:
        """Return the rows whose status has changed, and the new ones, the oldest first."""
        changed = await self._reread()
        return [*changed, *await self._fresh(None)]

    async def _fresh(self, limit: int | None) -> list[Row]:
        now, seen, rows, ids = self._kernel.clock.time(), set(self._seen), list[Row](), list[str]()
        async for record in reading.newest(self._kernel.store, self._kernel.settings.tenant):
            if record["id"] in seen or (limit is not None and len(rows) >= limit and ids):
                break
            ids.append(record["id"])
            row = reading.row(record)
            self._note(record)
            if self._keep.matches(row, now) and limit != 0:
                rows.append(row)
        self._seen.extend(reversed(ids))
        return rows[::-1]

    async def _reread(self) -> list[Row]:
        rows, now = list[Row](), self._kernel.clock.time()
        for record_id, (pk, before) in [*self._open.items()]:
            try:
                record = (await self._kernel.store.read(EVENTS, pk, record_id)).document
            except NotFoundError:
                del self._open[record_id]
                continue
            row = reading.row(record)
            if row["status"] != before and self._keep.matches(row, now):
                rows.append(row)
            self._note(record)
        return rows

    def _note(self, record: Mapping[str, Any]) -> None:
        if is_finished(cast(RecordDoc, record)):
            self._open.pop(record["id"], None)
            return
        self._open[record["id"]] = (record["pk"], status(record))
        if len(self._open) > _WATCHED:
            del self._open[next(iter(self._open))]


async def follow_events(settings: Settings, keep: EventFilter, limit: int, to: Screen, form: Format) -> None:
    """Write the newest events and then every change, until this is cancelled."""
    async with open_to_read(settings) as kernel:
        follower = Follower(kernel, keep)
        rows = await follower.begin(limit)
        while True:
            for row in rows:
                _write(to, form, row, kernel.clock.time())
            await asyncio.sleep(_LOOK_S)
            rows = await follower.changes()


def _write(to: Screen, form: Format, row: Row, now: float) -> None:
    if form == "jsonl":
        to.write(visible_json({"schema": "vextir.event-row.v1", **row}))
    elif to.terminal:
        to.write(to.text(event_line(to, row, now)))
    else:
        to.write(*table_lines(to, [event_line(to, row, now)], ()))
