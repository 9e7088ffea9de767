"""What the order of a key asks of a record: entering its list, waiting at the head, leaving it (PROTOCOL 9).

Any worker may act for any record: each write is conditional, on the key's document or on the record, and what somebody
else has done is found and not done again. A crash anywhere leaves an entry in some record's outbox, so a `due`.
"""

import contextlib
from typing import Literal

from vextir_os.errors import ConflictError, LostRunError, NotFoundError, StoreBusyError, StoreUnavailableError
from vextir_os.processor.claim import claimed
from vextir_os.processor.turn import Parts, Turn
from vextir_os.runs import ordering
from vextir_os.runs.keeper import Change, Keeper
from vextir_os.runs.keyfile import KeyFile
from vextir_os.runs.knocks import knocks
from vextir_os.runs.record import RecordDoc, RunDoc

_TRIES = 20

Came = Literal["done", "claimed", "again"]
"""What one pass came to; `again`: others were first, or a copy was old."""


async def advance(parts: Parts, turn: Turn, *, claims: bool) -> bool:
    """Do what the entries of this turn's record ask for, and remove them; nothing when it has none.

    Args:
        parts: The ports.
        turn: Its keeper holds an ordered record.
        claims: Whether the record is claimed for this delivery when it is at the head; else it is made ready.

    Returns:
        Whether this delivery has claimed runs of the record.

    Raises:
        StoreUnavailableError: The store did not answer, others were always first, or the key's list is full.
    """
    keeper = turn.the_keeper
    if not ordering.entries(keeper.record):
        return False
    for _ in range(_TRIES):
        try:
            came = await _pass(parts, turn, claims)
        except (ConflictError, LostRunError):
            came = "again"
        if came != "again":
            parts.observer.recorded(keeper.record)
            return came == "claimed"
        await keeper.refresh()
    raise StoreUnavailableError(f"ordered key {keeper.record['key']['name']} was changed by others {_TRIES} times")


def check_room(key: KeyFile) -> None:
    """Refuse one more event of a key for now. Raises `StoreBusyError`."""
    if len(key.doc["list"]) >= ordering.WAITING:
        raise StoreBusyError(
            f"ordered key {key.doc['id']} has {ordering.WAITING} events that wait, and takes no more for now",
            hint="Is its head dead, or held? Look at: vextir events",
        )


async def _pass(parts: Parts, turn: Turn, claims: bool) -> Came:
    keeper = turn.the_keeper
    record = keeper.record
    entries = ordering.entries(record)
    if not entries:
        return "done"
    enrolment, moves = ordering.enrolment(record), ordering.moves(record)
    key = await KeyFile.read(parts.desk, record["key"]["name"])
    if moves and ordering.is_older(key.doc, max(entry["n"] for entry in moves)):
        return "again"
    if enrolment is not None and ordering.place_of(record) not in key.doc["list"]:
        await _enter(keeper, key)
    elif key.is_new:
        # An old copy may have no document; only a write tells.
        await key.write(key.doc)
    while key.doc["list"]:
        came = await _look_at_head(parts, turn, key, claims)
        if came == "left":
            continue
        if came == "claimed":
            return "claimed"
        break
    await keeper.drop(entries)
    return "done"


async def _enter(keeper: Keeper, key: KeyFile) -> None:
    """Enter the record into its key's list.

    Somebody else may have done so between the two reads, it may have run and left the list again. So the record is
    written first, unchanged: its entry is there, after the document was read. Only then the document is written, as it
    was read before.
    """
    turn = keeper.record["key"]["turn"]

    def prove(record: RecordDoc, _now: float) -> Change:
        if ordering.enrolment(record) is None or record["key"]["turn"] != turn:
            raise LostRunError(f"record {record['id']} has entered the list of its key already")
        return Change(record=record)

    check_room(key)
    await keeper.write(prove, durable=False)
    await key.write(ordering.entered(key.doc, ordering.place_of(keeper.record)))


async def _look_at_head(parts: Parts, turn: Turn, key: KeyFile, claims: bool) -> Literal["stays", "left", "claimed"]:
    """Let the head begin when it waits, take it out when it is over; else it stays."""
    keeper, head, ticket = turn.the_keeper, key.doc["list"][0], key.doc["head"]
    own = head["id"] == keeper.record["id"] and head["pk"] == keeper.record["pk"]
    other = keeper if own else await _read(parts, head)
    record = other.record
    if record["key"]["turn"] < head["turn"]:
        raise ConflictError(f"record {head['id']} was read as it was before its turn {head['turn']}")
    same = record["key"]["turn"] == head["turn"]
    if same and not ordering.is_over(record):
        if not ordering.is_waiting(record):
            return "stays"
        return await _begin(parts, turn, other, ticket, claims=claims and own)
    if not own and any(entry["n"] == ticket for entry in ordering.moves(record)):
        # Its own publisher takes it out, after what it emits is published.
        return "stays"
    if same and ordering.enrolment(record) is not None:
        await other.write(lambda record, _now: Change(record=ordering.taken_out(record, ticket)), durable=False)
    await key.write(ordering.left(key.doc))
    return "left"


async def _read(parts: Parts, place: ordering.Place) -> Keeper:
    try:
        return await Keeper.read(parts.desk, place["pk"], place["id"])
    except NotFoundError as error:
        raise ConflictError(f"record {place['id']} is in the list of its key and was not found") from error


async def _begin(parts: Parts, turn: Turn, keeper: Keeper, ticket: int, *, claims: bool) -> Literal["stays", "claimed"]:
    place = ordering.place_of(keeper.record)

    def change(record: RecordDoc, now: float) -> Change:
        if record["key"]["turn"] != place["turn"]:
            raise LostRunError(f"record {record['id']} was replayed, and waits at the end of its key")
        waiting = [driver for driver, run in record["runs"].items() if run["state"] == "queued"]
        begun = Change(record=ordering.made_ready(record, ticket), touched=waiting)
        if claims:
            # Where none of its drivers is here, or all are slow: somebody else executes them.
            with contextlib.suppress(LostRunError):
                begun = claimed(parts, turn, begun.record, now)
        left = [driver for driver in waiting if _is_left(begun.record["runs"][driver])]
        return begun._replace(knocks=knocks(parts.desk, begun.record, left, mark=f"k{place['turn']}.{ticket}"))

    # Soft: a power failure that takes it leaves the entry that led here.
    await keeper.write(change, durable=False)
    return "claimed" if any(run["owner"] == turn.owner for run in keeper.record["runs"].values()) else "stays"


def _is_left(run: RunDoc) -> bool:
    """Whether a run may begin, and this delivery has not begun it."""
    return run["state"] == "ready" and run["wait"] is None
