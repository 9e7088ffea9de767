"""`vextir dead`: dead letters, one in full, what errors they have in common, and what to do with one or with many."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project, Words, no_words
from vextir_os.cli.project import open_to_read, settings_of
from vextir_os.cli.runs import Driver, EventType, Limit, Reason
from vextir_os.errors import UsageError, did_you_mean, shown
from vextir_os.events.names import check_pattern
from vextir_os.local.loop import run
from vextir_os.runs import letters
from vextir_os.runs.deadletter import OPEN, STATES
from vextir_os.runs.paging import LIMIT
from vextir_os.settings import Settings

HEAD = ("TIME", "STATE", "ERROR", "DRIVER", "TYPE", "EVENT", "ID", "GROUP", "MESSAGE")
GROUP_HEAD = ("GROUP", "COUNT", "FIRST", "LAST", "ERROR", "DRIVERS", "MESSAGE")

LetterId = Annotated[str, Parameter(help="Id of the dead letter, in full.", show_default=False)]
LetterIds = Annotated[str, Parameter(help="Ids of dead letters, in full.")]
Class = Annotated[str, Parameter(name="--class", help="Only errors of this class.", show_default=False)]
Group = Annotated[str, Parameter(help="Only those with this fingerprint: see vextir dead group.", show_default=False)]
Closed = Annotated[str, Parameter(name="--state", help="open, replayed, edited, discarded or all.", show_default=True)]
Rate = Annotated[str, Parameter(help="With --group, how many a second or minute at most: 10/s, 100/m.")]
Edit = Annotated[
    str,
    Parameter(
        help="Publish an event in its place: FILE or - with its data or a whole event as JSON, alone your $EDITOR.",
        show_default=False,
    ),
]

app = App(name="dead", help="List dead letters; show, replay, discard or group them.", sort_key=5)


@app.default
@app.command(name="list")
def dead(
    *words: Words,
    state: Closed = OPEN,
    driver: Driver = "",
    event_type: EventType = "",
    error_class: Class = "",
    group: Group = "",
    limit: Limit = 20,
    output: Output = "table",
    project: Project = None,
) -> int:
    """List dead letters that nobody has dealt with, the newest first."""
    from vextir_os.cli.output import write_list

    no_words(words, ("list", "show", "replay", "discard", "group"))
    if limit < 0:
        raise UsageError(f"--limit {limit} is no number of dead letters", hint="Use 0 or more")
    states = (OPEN, *STATES.values(), "all")
    if state not in states:
        raise UsageError(
            f"--state {shown(state)} is none of {', '.join(states)}", hint=did_you_mean(state, states) or "Use all"
        )
    wanted = letters.Wanted(
        state="" if state == "all" else state,
        driver=driver,
        type=check_pattern(event_type) if event_type else "",
        kind=error_class,
        group=group,
    )
    rows = run(_rows(settings_of(project), wanted, limit))
    to, now = screen.stdout(), time.time()
    write_list(
        to, output, many="dead", one="dead-row", items=rows, table=[_line(to, row, now) for row in rows], head=HEAD
    )
    return Exit.DONE


@app.command
def show(letter_id: LetterId, /, *, output: Output = "table", project: Project = None) -> int:
    """Show a dead letter in full: its error with traceback and attempts, or the bytes of a message."""
    from vextir_os.cli.letters import letter_lines
    from vextir_os.cli.output import write_document

    found = run(_find(settings_of(project), letter_id))
    to = screen.stdout()
    if output == "table":
        to.write(*letter_lines(to, found))
    else:
        write_document(to, output, {"schema": "vextir.dead.v1", **found})
    return Exit.DONE


@app.command(name="group")
def grouped(
    *, driver: Driver = "", event_type: EventType = "", output: Output = "table", project: Project = None
) -> int:
    """Show which errors the dead letters have in common, the most frequent first."""
    from vextir_os.cli.output import write_list

    wanted = letters.Wanted(driver=driver, type=check_pattern(event_type) if event_type else "")
    found = run(_groups(settings_of(project), wanted))
    to, now = screen.stdout(), time.time()
    lines = [_group_line(to, group, now) for group in found]
    write_list(to, output, many="groups", one="dead-group", items=found, table=lines, head=GROUP_HEAD)
    return Exit.DONE


@app.command
def replay(
    *letter_ids: LetterIds,
    edit: Edit = "",
    group: Group = "",
    rate: Rate = "10/s",
    reason: Reason = "",
    output: Output = "table",
    project: Project = None,
) -> int:
    """Run dead runs again, send messages again as they were; or publish an edited event in the place of one."""
    from vextir_os.cli.redo import Redo, edit_one, per_second, redo

    settings = settings_of(project)
    if edit:
        if group or len(letter_ids) != 1:
            raise UsageError("--edit is for one dead letter", hint="Name its id, and no --group")
        return run(edit_one(settings, letter_ids[0], edit, reason, output))
    wanted = Redo(act="replay", ids=letter_ids, group=group, per_s=per_second(rate), reason=reason)
    return run(redo(settings, wanted, output))


@app.command
def discard(
    *letter_ids: LetterIds,
    group: Group = "",
    rate: Rate = "1000/s",
    reason: Reason = "",
    output: Output = "table",
    project: Project = None,
) -> int:
    """Set dead letters aside: nothing is run, and they leave the list."""
    from vextir_os.cli.redo import Redo, per_second, redo

    wanted = Redo(act="discard", ids=letter_ids, group=group, per_s=per_second(rate), reason=reason)
    return run(redo(settings_of(project), wanted, output))


async def _rows(settings: Settings, wanted: letters.Wanted, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with open_to_read(settings) as kernel:
        after = ""
        while len(rows) < limit:
            page = await letters.page(kernel.store, settings.tenant, wanted, limit=LIMIT, after=after)
            rows += page.items
            after = page.after
            if not after:
                break
    return rows[:limit]


async def _find(settings: Settings, letter_id: str) -> dict[str, Any]:
    async with open_to_read(settings) as kernel:
        return letters.letter_view(await kernel.dead_letters.find(letter_id, settings.tenant))


async def _groups(settings: Settings, wanted: letters.Wanted) -> Sequence[dict[str, Any]]:
    async with open_to_read(settings) as kernel:
        return await letters.groups(kernel.store, settings.tenant, wanted)


def _line(to: screen.Screen, row: Mapping[str, Any], now: float) -> screen.Line:
    from vextir_os.cli.text import visible

    return [
        screen.Span(_when(to, row["at"], now), "dim"),
        screen.Span(row["state"], "error" if row["state"] == OPEN else "plain"),
        screen.Span(visible(row["class"]), "bold"),
        screen.Span(visible(row.get("driver", row.get("reason", "")))),
        screen.Span(visible(row.get("type", ""))),
        screen.Span(visible(row.get("event", ""))),
        screen.Span(visible(row["id"])),
        screen.Span(row["fingerprint"], "dim"),
        screen.Span(visible(row["message"]), "plain", elastic=True),
    ]


def _group_line(to: screen.Screen, group: Mapping[str, Any], now: float) -> screen.Line:
    from vextir_os.cli.text import visible

    return [
        screen.Span(group["fingerprint"], "bold"),
        screen.Span(str(group["count"])),
        screen.Span(_when(to, group["first"], now), "dim"),
        screen.Span(_when(to, group["last"], now), "dim"),
        screen.Span(visible(group["class"])),
        screen.Span(visible(", ".join(group["drivers"]))),
        screen.Span(visible(group["sample"]), "plain", elastic=True),
    ]


def _when(to: screen.Screen, at: float, now: float) -> str:
    from vextir_os.cli.text import moment, wall_clock

    return wall_clock(at, now) if to.terminal else moment(at)
