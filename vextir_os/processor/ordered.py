"""Ordered events: the two stages that put them in line, and let their key move on. Others pass through both unseen."""

import contextlib
from collections.abc import Awaitable

from vextir_os.errors import ConflictError
from vextir_os.events.ids import key_id
from vextir_os.processor.admit import first_record
from vextir_os.processor.keys import advance, check_room
from vextir_os.processor.turn import Next, Parts, Settlement, Turn
from vextir_os.runs.keeper import Change, Keeper
from vextir_os.runs.keyfile import KeyFile
from vextir_os.runs.messages import Knock
from vextir_os.runs.ordering import entered, in_line, place_of


def line_up(parts: Parts, turn: Turn, following: Next) -> Awaitable[Settlement]:
    """Create the record of an ordered event, in line; the stages behind it meet it as if they were knocked at it.

    An event without drivers ends in its decision, and takes no place.
    """
    if turn.knock is not None or not turn.the_event.ordered or not turn.drivers:
        return following(turn)
    return _line_up(parts, turn, following)


def move_on(parts: Parts, turn: Turn, following: Next) -> Awaitable[Settlement]:
    """Let the key of an ordered event go on to the next one, once its runs are over."""
    if "key" not in turn.the_keeper.record:
        return following(turn)
    return _move_on(parts, turn, following)


async def _line_up(parts: Parts, turn: Turn, following: Next) -> Settlement:
    event = turn.the_event
    # The order of these three is what keeps an event from entering twice: see `keys`, where others do the same.
    key = await KeyFile.read(parts.desk, key_id(event.tenantid, event.partitionkey))
    check_room(key)
    halts = any(driver.on_poison == "halt" for driver in turn.drivers)
    record = in_line(first_record(parts, turn), key.doc["id"], "halt" if halts else "skip")
    keeper = await Keeper.create(parts.desk, Change(record=record), durable=False)
    if keeper is not None:
        parts.observer.admitted(turn, keeper.record)
        with contextlib.suppress(ConflictError):
            await key.write(entered(key.doc, place_of(record)))
    turn.knock = Knock(record["id"], record["pk"])
    return await following(turn)


async def _move_on(parts: Parts, turn: Turn, following: Next) -> Settlement:
    await advance(parts, turn, claims=False)
    return await following(turn)
