"""`vextir events`: the newest events that a filter keeps, and one of them in full."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Flag, Output, Project
from vextir_os.cli.project import open_to_read, settings_of
from vextir_os.cli.trace import EventId, no_such_event
from vextir_os.errors import UsageError
from vextir_os.events.filters import EventFilter
from vextir_os.local.loop import run
from vextir_os.runs import reading
from vextir_os.settings import Settings

Terms = Annotated[
    str,
    Parameter(help="Terms such as status:failed, type:mail.*, since:2h, data.total>100; all must hold."),
]
Limit = Annotated[int, Parameter(help="How many events, at most.")]
Follow = Annotated[Flag, Parameter(name=["--follow", "-f"], help="Go on with what happens next, until Ctrl-C.")]

HEAD = ("TIME", "STATUS", "TYPE", "ID", "DRIVERS", "SOURCE")

app = App(name="events", help="List the newest events; `events show ID` shows one.", sort_key=2)


@app.default
def events(
    *terms: Terms, limit: Limit = 20, follow: Follow = False, output: Output = "table", project: Project = None
) -> int:
    """List the newest events that a filter keeps, the newest first; with --follow, the newest last."""
    if limit < 0:
        raise UsageError(f"--limit {limit} is no number of events", hint="Use 0 or more")
    keep = EventFilter.parse(" ".join(terms))
    settings = settings_of(project)
    if follow:
        from vextir_os.cli.follow import follow_events

        if output in ("json", "yaml"):
            raise UsageError(f"--follow cannot end a {output} document", hint="Use -o jsonl, or -o table")
        run(follow_events(settings, keep, limit, screen.stdout(), output))
        return Exit.DONE
    write_rows(screen.stdout(), output, run(newest_rows(settings, keep, limit)))
    return Exit.DONE


@app.command
def show(event_id: EventId, /, *, output: Output = "table", project: Project = None) -> int:
    """Show one event in full: its data, the decision, what each driver did."""
    from vextir_os.cli.details import detail_lines
    from vextir_os.cli.output import write_document

    settings = settings_of(project)
    found = run(_find(settings, event_id))
    to = screen.stdout()
    if output == "table":
        to.write(*detail_lines(to, found))
    else:
        write_document(to, output, {"schema": "vextir.event.v1", **found})
    return Exit.DONE


async def newest_rows(settings: Settings, keep: EventFilter, limit: int) -> list[dict[str, Any]]:
    """Return the newest rows that the filter keeps, the newest first."""
    rows: list[dict[str, Any]] = []
    async with open_to_read(settings) as kernel:
        now = kernel.clock.time()
        if limit:
            async for record in reading.newest(kernel.store, settings.tenant):
                row = reading.row(record)
                if keep.matches(row, now):
                    rows.append(row)
                    if len(rows) == limit:
                        break
    return rows


def write_rows(to: screen.Screen, form: Output, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write events as a list."""
    import time

    from vextir_os.cli.output import write_list

    now = time.time()
    lines = [event_line(to, row, now) for row in rows]
    write_list(to, form, many="events", one="event-row", items=rows, table=lines, head=HEAD)


def event_line(to: screen.Screen, row: Mapping[str, Any], now: float) -> screen.Line:
    """Return an event as a row of the table; times are short on a terminal and exact elsewhere."""
    from vextir_os.cli.text import moment, visible, wall_clock
    from vextir_os.cli.tree import STYLES

    return [
        screen.Span(wall_clock(row["time"], now) if to.terminal else moment(row["time"]), "dim"),
        screen.Span(row["status"], STYLES.get(row["status"], "plain")),
        screen.Span(visible(row["type"]), "bold"),
        screen.Span(visible(row["id"])),
        screen.Span(visible(", ".join(row["driver"])), "plain", elastic=True),
        screen.Span(visible(row["source"]), "dim", elastic=True),
    ]


async def _find(settings: Settings, event_id: str) -> dict[str, Any]:
    async with open_to_read(settings) as kernel:
        record = await reading.find(kernel.store, settings.tenant, event_id)
    if record is None:
        raise no_such_event(event_id)
    return reading.view(record)
