"""`vextir runs`: the runs of the newest events, those of one event in full, and cancelling an event."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project, Words, no_words
from vextir_os.cli.project import open_to_read, open_to_send, settings_of
from vextir_os.cli.trace import EventId, no_such_event
from vextir_os.errors import UsageError, did_you_mean, shown
from vextir_os.events.names import check_pattern
from vextir_os.kernel import operator
from vextir_os.local.loop import run
from vextir_os.runs import reading, runlist
from vextir_os.runs.paging import LIMIT
from vextir_os.settings import Settings

HEAD = ("STARTED", "STATE", "DRIVER", "TYPE", "EVENT", "RERUN", "ATTEMPT", "TOOK", "ERROR")

State = Annotated[str, Parameter(help="Only runs in this state: running, retry, dead, …", show_default=False)]
Driver = Annotated[str, Parameter(help="Only those of this driver.", show_default=False)]
EventType = Annotated[str, Parameter(name="--type", help="Only of events of this type: mail.*.", show_default=False)]
Limit = Annotated[int, Parameter(help="How many, at most.")]
Reason = Annotated[str, Parameter(help="Why; it stands on the record.", show_default=False)]

app = App(name="runs", help="List the newest runs; show or cancel those of an event.", sort_key=4)


@app.default
@app.command(name="list")
def runs(
    *words: Words,
    state: State = "",
    driver: Driver = "",
    event_type: EventType = "",
    limit: Limit = 20,
    output: Output = "table",
    project: Project = None,
) -> int:
    """List the runs of the newest events, the newest first."""
    from vextir_os.cli.output import write_list

    no_words(words, ("list", "show", "cancel"))
    if limit < 0:
        raise UsageError(f"--limit {limit} is no number of runs", hint="Use 0 or more")
    if state and state not in runlist.STATES:
        raise UsageError(
            f"--state {shown(state)} is none that a run has",
            hint=did_you_mean(state, runlist.STATES) or f"States are: {', '.join(runlist.STATES)}",
        )
    wanted = runlist.Wanted(state=state, driver=driver, type=check_pattern(event_type) if event_type else "")
    rows = run(_rows(settings_of(project), wanted, limit))
    to, now = screen.stdout(), time.time()
    lines = [_line(to, row, now) for row in rows]
    write_list(to, output, many="runs", one="run", items=rows, table=lines, head=HEAD)
    return Exit.DONE


@app.command
def show(event_id: EventId, /, *, output: Output = "table", project: Project = None) -> int:
    """Show the runs of an event in full, and what people did to it."""
    from vextir_os.cli.details import act_lines, run_lines
    from vextir_os.cli.output import write_document

    found = run(_find(settings_of(project), event_id))
    to = screen.stdout()
    if output != "table":
        write_document(to, output, {"schema": "vextir.event-runs.v1", **found})
        return Exit.DONE
    to.write(*(line for driver, one in found["runs"].items() for line in run_lines(to, driver, one)))
    to.write(*act_lines(to, found))
    return Exit.DONE


@app.command
def cancel(
    event_id: EventId,
    /,
    *,
    reason: Reason = "",
    source: Annotated[
        str, Parameter(help="Its source: where it still waits on the queue, or two have the id.", show_default=False)
    ] = "",
    correlation: Annotated[
        str, Parameter(help="Its correlation id, with --source, where it is not its own.", show_default=False)
    ] = "",
    output: Output = "table",
    project: Project = None,
) -> int:
    """Cancel what is left of an event: nothing of it begins or commits any more."""
    from vextir_os.cli.output import write_document

    record = run(_cancel(settings_of(project), event_id, reason, source, correlation))
    found = runlist.runs_view(record)
    if output == "table":
        screen.stdout().write(*(f"{driver}\t{one['state']}" for driver, one in found["runs"].items()))
    else:
        write_document(screen.stdout(), output, {"schema": "vextir.event-runs.v1", **found})
    screen.stderr().write(f"cancelled. Next: vextir runs show {event_id}")
    return Exit.DONE


async def _rows(settings: Settings, wanted: runlist.Wanted, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with open_to_read(settings) as kernel:
        after = ""
        while len(rows) < limit:
            page = await runlist.page(kernel.store, settings.tenant, wanted, limit=LIMIT, after=after)
            rows += page.items
            after = page.after
            if not after:
                break
    return rows[:limit]


async def _find(settings: Settings, event_id: str) -> dict[str, Any]:
    async with open_to_read(settings) as kernel:
        record = await reading.find(kernel.store, settings.tenant, event_id)
    if record is None:
        raise no_such_event(event_id)
    return runlist.runs_view(record)


async def _cancel(settings: Settings, event_id: str, reason: str, source: str, correlation: str) -> Mapping[str, Any]:
    async with open_to_send(settings) as kernel:
        return await kernel.control.cancel(
            event_id, operator(settings), reason=reason, source=source, correlation=correlation
        )


def _line(to: screen.Screen, row: Mapping[str, Any], now: float) -> screen.Line:
    from vextir_os.cli.text import duration, moment, visible, wall_clock
    from vextir_os.cli.tree import STYLES

    started = row["started"]
    when = "" if started is None else wall_clock(started, now) if to.terminal else moment(started)
    return [
        screen.Span(when, "dim"),
        screen.Span(row["state"], STYLES.get(row["status"], "plain")),
        screen.Span(visible(row["driver"]), "bold"),
        screen.Span(visible(row["type"])),
        screen.Span(visible(row["event"])),
        screen.Span(str(row["rerun"])),
        screen.Span(str(row["attempt"])),
        screen.Span(duration(row["duration_ms"] / 1_000) if "duration_ms" in row else "", "dim"),
        screen.Span(visible(row["error"]), "plain", elastic=True),
    ]
