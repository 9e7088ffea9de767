"""What a delivery holds of a driver's limits while its run goes on: kept with the lease, given up with the commit.

The documents are written before the record is claimed and after it is committed. A crash in between leaves a place
that comes free by its own time, never a run without one.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar, cast

from vextir_os.errors import LostRunError, StoreUnavailableError
from vextir_os.ports.store import Where
from vextir_os.processor.books import Books
from vextir_os.runs import singleton, slots
from vextir_os.runs.keeper import Desk
from vextir_os.runs.messages import Knock, knock_message
from vextir_os.runs.record import EVENTS, RecordDoc
from vextir_os.runs.slots import Called, SlotsDoc

D = TypeVar("D")
_PAGE = 200


class Place(Protocol):
    """One thing that is held."""

    async def leave(self, record: str, owner: str, *, claimed: bool, until: float | None) -> None:
        """Give it up. `claimed`: the run was begun; `until`: it comes again before that time."""
        ...

    async def keep(self, record: str, owner: str, *, until: float) -> bool:
        """Hold it for longer; say whether it is still held."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """One of a driver's places for runs at once.

    Attributes:
        name: Of the document.
        places: How many there are.
        back: From whom it was taken over.
    """

    desk: Desk
    books: Books
    name: str
    places: int
    back: tuple[str, float] | None

    async def leave(self, record: str, owner: str, *, claimed: bool, until: float | None) -> None:
        """As the protocol says; then the next ones in line are called."""
        # Between two attempts nothing runs: the place is another's, whatever `until` says.
        del until
        back, now = None if claimed else self.back, self.desk.clock.time()

        def left(doc: SlotsDoc) -> tuple[SlotsDoc, tuple[Sequence[Called], bool]]:
            after, called = slots.leave(doc, record, owner, back=back, places=self.places, now=now)
            return after, (called, after["more"] and len(after["line"]) < slots.SHORT)

        called, is_short = await self.books.change(slots.no_slots(self.name), left)
        await call(self.desk, called)
        if is_short:
            await self._refill()

    async def keep(self, record: str, owner: str, *, until: float) -> bool:
        """As the protocol says."""
        return await _kept(
            self.books, slots.no_slots(self.name), partial(slots.renewed, record=record, owner=owner, until=until)
        )

    async def _refill(self) -> None:
        """Take into the line those who found it full."""
        waiting = [Where("due", ">", 0), Where("waits", "exists", True)]
        found: list[Called] = []
        continuation = ""
        while len(found) < slots.LINE:
            page = await self.desk.store.query(EVENTS, waiting, limit=_PAGE, continuation=continuation)
            for stored in page.items:
                record = cast(RecordDoc, stored.document)
                if self.name in record["waits"]:
                    lane = next(run.get("lane", "batch") for run in record["runs"].values() if _waits(run, self.name))
                    found.append(Called(record["id"], record["pk"], lane))
            continuation = page.continuation
            if not continuation:
                break
        now = self.desk.clock.time()

        def join(doc: SlotsDoc) -> tuple[SlotsDoc, Sequence[Called]]:
            return slots.joined(doc, found, more=bool(continuation), places=self.places, now=now)

        await call(self.desk, await self.books.change(slots.no_slots(self.name), join))


@dataclass(frozen=True, slots=True)
class Alone:
    """The place of the one run that goes on; it is kept between two attempts."""

    books: Books
    name: str

    async def leave(self, record: str, owner: str, *, claimed: bool, until: float | None) -> None:
        """As the protocol says."""

        def left(doc: singleton.SingletonDoc) -> tuple[singleton.SingletonDoc, None]:
            return singleton.let_go(doc, record, owner, until=until if claimed else None), None

        await self.books.change(singleton.nobody(self.name), left)

    async def keep(self, record: str, owner: str, *, until: float) -> bool:
        """As the protocol says."""
        return await _kept(
            self.books, singleton.nobody(self.name), partial(singleton.longer, record=record, owner=owner, until=until)
        )


async def leave(places: Sequence[Place], record: str, owner: str, *, claimed: bool, until: float | None = None) -> None:
    """Give up all that is held, the last one first. What cannot be written comes free by its time."""
    for place in reversed(places):
        with contextlib.suppress(StoreUnavailableError):
            await place.leave(record, owner, claimed=claimed, until=until)


async def keep(places: Sequence[Place], record: str, owner: str, *, until: float) -> None:
    """Hold all for longer, before the lease is renewed.

    Raises:
        LostRunError: One of them is somebody else's now; the lease must not be renewed.
        StoreUnavailableError: The store did not answer.
    """
    for place in places:
        if not await place.keep(record, owner, until=until):
            raise LostRunError(f"the place of record {record} belongs to somebody else now")


async def call(desk: Desk, called: Sequence[Called]) -> None:
    """Knock at records whose turn it is. A knock that is lost costs time: each of them is looked at by its `due`."""
    for who in called:
        knock = knock_message(
            desk.signer, Knock(who.id, who.pk), id=f"{who.id}~c{desk.clock.time()}", flow=who.id.partition("~")[0]
        )
        await desk.queue_of(who.lane).send([knock])


async def _kept(books: Books, first: D, longer: Callable[[D], D | None]) -> bool:
    def kept(doc: D) -> tuple[D, bool]:
        after = longer(doc)
        return (doc, False) if after is None else (after, True)

    return await books.change(first, kept)  # type: ignore[type-var]


def _waits(run: object, name: str) -> bool:
    wait = cast("dict[str, object]", run)["wait"]
    return isinstance(wait, dict) and wait.get("on") == name
