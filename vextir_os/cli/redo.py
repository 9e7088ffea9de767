"""Acting on dead letters from the command line: one after the other, at a rate, or one with an edited event.

What is done is done: a command that was interrupted is given again, and goes on with those that are still open.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

from vextir_os.cli import screen
from vextir_os.cli.edit import edit_of
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Format
from vextir_os.cli.project import SOURCE, open_to_send
from vextir_os.cli.text import counted
from vextir_os.errors import RunStateError, UsageError
from vextir_os.kernel import Kernel, operator
from vextir_os.runs import letters
from vextir_os.runs.deadletter import OPEN
from vextir_os.runs.paging import LIMIT
from vextir_os.settings import Settings

_RATE = re.compile(r"([0-9]{1,6})/([sm])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redo:
    """What to do, with which.

    Attributes:
        act: What.
        ids: Dead letters, by name.
        group: Or all that are open now with this fingerprint.
        per_s: How many a second, at most.
        reason: Why.
    """

    act: Literal["replay", "discard"]
    ids: tuple[str, ...]
    group: str
    per_s: float
    reason: str


class Tally:
    """How many were done, and how many somebody had dealt with already."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []
        self.already = 0


def per_second(text: str) -> float:
    """Return a rate such as `10/s` or `100/m` in acts a second. Raises `UsageError`."""
    found = _RATE.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--rate {text[:40]!r} is no rate", hint="Write 10/s or 100/m")
    return int(found[1]) / (1 if found[2] == "s" else 60)


def wait_s(began: float, now: float, done: int, per_s: float) -> float:
    """Return how long to wait before the next act, in seconds, so that the rate holds from the beginning."""
    return max(began + done / per_s - now, 0.0)


async def redo(settings: Settings, wanted: Redo, form: Format) -> int:
    """Act on each, write those that were acted on, and say how many.

    Raises:
        UsageError: Neither ids nor a group are named, or both.
        NotFoundError, DeniedError: As the act does; those before it are done.
    """
    if bool(wanted.ids) == bool(wanted.group):
        raise UsageError(
            f"{wanted.act} takes ids of dead letters, or --group", hint="Find them: vextir dead, vextir dead group"
        )
    tally, to = Tally(), screen.stdout()
    try:
        async with open_to_send(settings) as kernel:
            await _all(kernel, settings, wanted, tally, to if form == "table" else None)
    except BaseException:
        if tally.done:
            screen.stderr().write(f"{_said(wanted, tally)} before it ended. Given again, it goes on with the others")
        raise
    if form != "table":
        from vextir_os.cli.output import write_list

        write_list(to, form, many="dead", one="dead-row", items=tally.done, table=[], head=())
    screen.stderr().write(f"{_said(wanted, tally)}. Next: vextir runs")
    return Exit.DONE


async def edit_one(settings: Settings, letter_id: str, where: str, reason: str, form: Format) -> int:
    """Publish an edited event in the place of a dead letter, and write its id."""
    async with open_to_send(settings) as kernel:
        letter = await kernel.dead_letters.find(letter_id, settings.tenant)
        edit = await edit_of(kernel, letter, where)
        letter, event = await kernel.dead_letters.edit(
            letter_id, operator(settings), edit, source=SOURCE, reason=reason
        )
    if form == "table":
        screen.stdout().write(event.id)
    else:
        from vextir_os.cli.output import write_document

        document = {"schema": "vextir.dead.v1", **letters.letter_view(letter)}
        write_document(screen.stdout(), form, document)
    screen.stderr().write(f"published. Next: vextir trace {event.id}")
    return Exit.DONE


async def _all(kernel: Kernel, settings: Settings, wanted: Redo, tally: Tally, to: screen.Screen | None) -> None:
    who, clock = operator(settings), kernel.clock
    act = kernel.dead_letters.replay if wanted.act == "replay" else kernel.dead_letters.discard
    began = clock.monotonic()
    async for letter_id in _named(kernel, settings, wanted):
        await asyncio.sleep(wait_s(began, clock.monotonic(), len(tally.done), wanted.per_s))
        try:
            letter = await act(letter_id, who, reason=wanted.reason)
        except RunStateError:
            if wanted.ids:
                raise
            # In a group that is no error: somebody was first, or an interrupted command had done this one.
            tally.already += 1
            continue
        row = letters.letter_row(letter)
        tally.done.append(row)
        if to is not None:
            to.write(f"{row['id']}\t{row['state']}\t{row.get('event', '')}\t{row.get('driver', '')}")


async def _named(kernel: Kernel, settings: Settings, wanted: Redo) -> AsyncIterator[str]:
    for letter_id in wanted.ids:
        yield letter_id
    if not wanted.group:
        return
    # Those that fail again are new dead letters of the same group: they are not chased.
    open_now = letters.Wanted(state=OPEN, group=wanted.group, until=kernel.clock.time())
    after = ""
    while True:
        page = await letters.page(kernel.store, settings.tenant, open_now, limit=LIMIT, after=after, oldest_first=True)
        for row in page.items:
            yield row["id"]
        after = page.after
        if not after:
            return


def _said(wanted: Redo, tally: Tally) -> str:
    already = f", {tally.already:,} dealt with already" if tally.already else ""
    return f"{counted(len(tally.done), 'dead letter')} {wanted.act}ed{already}"
