"""What a worker whose process is gone still holds is given up at once, so that others go on. Owns and runs nothing.

The end of a lease is a write that the protocol always bore: any lease may die at any moment, and only the claim that
follows raises the fence. So nothing rests on the death being real; a worker that only looks dead loses time, its own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vextir_os.errors import LostRunError, NotFoundError
from vextir_os.ports.store import Stored, Where
from vextir_os.processor.turn import Parts
from vextir_os.runs.keeper import Change, Keeper
from vextir_os.runs.knocks import knocks
from vextir_os.runs.record import CLOCK_SKEW_S, EVENTS, RecordDoc
from vextir_os.runs.transitions import LONGEST_LEASE_S, lease_ended, leased_by

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a worker held: runs under a lease, and locked messages."""

    runs: int
    messages: int


class Departed:
    """Gives up what workers held that are gone.

    Args:
        parts: What the stages work with.
        give_up: Ends the locks of a worker's messages in the broker, and returns how many there were.
    """

    def __init__(self, parts: Parts, give_up: Callable[[str], Awaitable[int]]) -> None:
        self._parts = parts
        self._give_up = give_up

    async def release(self, worker: str) -> Freed:
        """End the leases of a worker's runs, knock at their records, and unlock its messages. Twice is harmless.

        Raises:
            StoreUnavailableError: The store did not answer; what is done is done, and the rest may be tried again.
        """
        # The leases first: a message that comes again then finds a run that it can claim.
        return Freed(runs=await self._end_leases(worker), messages=await self._give_up(worker))

    async def _end_leases(self, worker: str) -> int:
        desk = self._parts.desk
        # A record with a run under a lease is due when that lease is over, or before.
        soon = Where("due", "<=", desk.clock.time() + LONGEST_LEASE_S + CLOCK_SKEW_S)
        count, continuation = 0, ""
        while True:
            page = await desk.store.query(EVENTS, [soon], limit=_PAGE, continuation=continuation)
            for stored in page.items:
                count += await self._end_in(stored, worker)
            continuation = page.continuation
            if not continuation:
                return count

    async def _end_in(self, stored: Stored, worker: str) -> int:
        desk, found = self._parts.desk, stored.document
        if not any(leased_by(run, worker, now=desk.clock.time()) for run in found["runs"].values()):
            return 0
        ended: list[str] = []

        def change(record: RecordDoc, now: float) -> Change:
            ended[:] = [name for name, run in record["runs"].items() if leased_by(run, worker, now=now)]
            if not ended:
                raise LostRunError(f"record {record['id']} has no run of worker {worker} any more")
            runs = {name: lease_ended(record["runs"][name], worker, now=now) for name in ended}
            # No run is named as touched: what recognises an own write does not change here. A second try asserts anew.
            return Change(
                record={**record, "runs": {**record["runs"], **runs}},
                knocks=knocks(desk, record, ended, mark=f"w{worker}"),
            )

        try:
            keeper = await Keeper.read(desk, found["pk"], found["id"])
            await keeper.write(change, durable=False)
        except (LostRunError, NotFoundError):
            return 0
        return len(ended)
