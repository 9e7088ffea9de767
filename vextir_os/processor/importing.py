"""History from elsewhere: finished records that an operator brings in. Nothing runs for them, and nothing is published.

It is an act of a person: `admin:import` on the type of the event has to be allowed. Tenant and user are those of who
imports; a record of the same event that is there stays as it is, so the same file twice changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from vextir_os.errors import (
    GoneError,
    InvalidRequestError,
    NotFoundError,
    StoreUnavailableError,
    TooLargeError,
    VextirError,
)
from vextir_os.events import ids, jsonio
from vextir_os.events.codec import encode
from vextir_os.events.event import Event, merge_labels
from vextir_os.events.identity import Principal
from vextir_os.events.limits import RECORD_BYTES, inline_bytes
from vextir_os.processor.control import allow
from vextir_os.processor.intake import DRIVERS, UNTRUSTED
from vextir_os.processor.turn import Parts
from vextir_os.runs import history
from vextir_os.runs.acts import ACTS_KEPT
from vextir_os.runs.claimcheck import check_in, output_in
from vextir_os.runs.keeper import Change, Keeper
from vextir_os.runs.record import ActDoc, RecordDoc, RunDoc, new_record

Imported = Literal["imported", "there", "unfinished"]
"""What became of a line: a record, nothing since there is one, nothing since the event was not over."""

Fetch = Callable[[str], Awaitable[bytes]]
"""The bytes of the file with this SHA-256. Raises where there are none."""


class Importer:
    """Brings history in on behalf of a principal.

    Args:
        parts: What the stages work with.
        fetch: Where data is that stands beside the lines.
    """

    def __init__(self, parts: Parts, fetch: Fetch) -> None:
        self._parts = parts
        self._fetch = fetch

    async def take(self, lines: Sequence[Any], who: Principal) -> list[Imported | VextirError]:
        """Make records of lines, in their order; return what became of each, or what is wrong with it.

        Raises:
            StoreUnavailableError: The store did not answer; what is there is found when the lines are given again.
        """
        found = await asyncio.gather(*(self._read(line, who) for line in lines))
        # Begun one after the other, so that the store has them in this order.
        return await asyncio.gather(*(self._keep(one) for one in found))

    async def _read(self, line: Any, who: Principal) -> RecordDoc | Imported | VextirError:
        try:
            return await self._prepared(line, who)
        except StoreUnavailableError:
            raise
        except VextirError as error:
            return error

    async def _keep(self, found: RecordDoc | Imported | VextirError) -> Imported | VextirError:
        if isinstance(found, (str, VextirError)):
            return found
        try:
            keeper = await Keeper.create(self._parts.desk, Change(record=found))
        except InvalidRequestError as error:
            return error
        return "there" if keeper is None else "imported"

    async def _prepared(self, line: Any, who: Principal) -> RecordDoc | Imported:
        """Return the record of one line, or why it makes none.

        Raises:
            UndecodableError, InvalidEventError, ForgedError: It is no line of an export.
            TooLargeError: Its data is over the limits.
            DeniedError: No policy allows `admin:import`.
        """
        line = history.check_line(line)
        desk = self._parts.desk
        event = _stamped(self._parts, history.event_of(line), who)
        allow(self._parts, who, "import", event.type)
        if not history.is_over(line):
            return "unfinished"
        record_id, pk = (
            ids.record_id(who.tenant, event.source, event.id),
            ids.partition(who.tenant, event.correlationid),
        )
        now = desk.clock.time()
        runs = history.runs_of(line, now=now)
        if await self._is_there(pk, record_id):
            return "there"
        event, said = await self._with_data(event, line), line["event"]
        record = new_record(
            id=record_id,
            pk=pk,
            event_id=event.id,
            event_json=encode(event),
            decision=history.decision_of(line),
            runs={name: await self._with_output(record_id, name, run, line, len(runs)) for name, run in runs.items()},
            now=history.created_of(line, now=now),
        )
        record["cancel"] = history.cancel_of(line, now=now)
        record["acts"] = [*history.acts_of(line, record_id, now=now), _act(who, said, now)][-ACTS_KEPT:]
        if left_out := history.left_out_of(line):
            record["left_out"] = left_out
        size = len(jsonio.dumps(record))
        if size > RECORD_BYTES:
            raise TooLargeError(f"the record would have {size} bytes, at most {RECORD_BYTES} are allowed")
        return record

    async def _is_there(self, pk: str, record_id: str) -> bool:
        # Asked before data goes to the blobs: what of it comes under an event that is there belongs to nobody.
        try:
            await Keeper.read(self._parts.desk, pk, record_id)
        except GoneError:
            return True
        except NotFoundError:
            return False
        return True

    async def _with_data(self, event: Event, line: Mapping[str, Any]) -> Event:
        place = history.apart(line)
        if place is not None:
            event = event.but(data=jsonio.loads_strict(await self._fetch(place)))
        return await check_in(event, self._parts.blobs)

    async def _with_output(
        self, record_id: str, driver: str, run: RunDoc, line: Mapping[str, Any], runs: int
    ) -> RunDoc:
        place = history.apart(line, driver)
        output = run["output"] if place is None else jsonio.loads_strict(await self._fetch(place))
        jsonio.check_json(output)
        name = f"{driver}.{run['rerun']}.output"
        kept, ref = await output_in(record_id, name, output, self._parts.blobs, limit_bytes=inline_bytes(runs))
        return {**run, "output": kept, "output_ref": ref}


def _stamped(parts: Parts, event: Event, who: Principal) -> Event:
    """Return an event as the edge asserts it: no more is believed of it than of what this principal would send.

    Its source and type stay, also where only the OS may send such: nothing runs for it.
    """
    trusted = not event.source.startswith(DRIVERS) and parts.trusts(event.source)
    return event.stamped(
        tenantid=who.tenant,
        userid=who.id if who.kind == "user" else "",
        correlationid=event.correlationid or event.id,
        priority=min(event.priority, who.max_priority),
        labels=event.labels if trusted else merge_labels(event.labels, (UNTRUSTED,)),
    )


def _act(who: Principal, said: Mapping[str, Any], now: float) -> ActDoc:
    """Return who brought it in, and whose it said it was."""
    of = f"of tenant {said.get('tenantid', '')}, user {said.get('userid', '')}"
    return {"id": ids.mint(), "do": "import", "by": str(who), "at": now, "reason": of[:200]}
