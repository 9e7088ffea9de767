"""`vextir trace`: an event and all that followed from it."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Format, Output, Project
from vextir_os.cli.project import open_to_read, settings_of
from vextir_os.errors import NotFoundError
from vextir_os.local.loop import run
from vextir_os.runs import reading
from vextir_os.settings import Settings

EventId = Annotated[str, Parameter(help="Id of the event, in full.", show_default=False)]


def trace(event_id: EventId, /, *, output: Output = "table", project: Project = None) -> int:
    """Show what happened with an event, and with all that it caused."""
    settings = settings_of(project)
    found = run(read_trace(settings, event_id))
    write_traces(screen.stdout(), output, [found])
    return Exit.DONE


async def read_trace(settings: Settings, event_id: str) -> reading.Trace:
    """Return the trace of an event. Raises `NotFoundError`."""
    async with open_to_read(settings) as kernel:
        found = await reading.trace(kernel.store, settings.tenant, event_id)
    if found is None:
        raise no_such_event(event_id)
    return found


def no_such_event(event_id: str) -> NotFoundError:
    """Return the error for an event that has no record."""
    return NotFoundError(
        f"there is no event `{event_id[:128]}`",
        hint="Run: vextir events. One that was only just sent may still wait: is `vextir dev` running?",
    )


def write_traces(to: screen.Screen, form: Format, traces: Sequence[reading.Trace]) -> None:
    """Write traces as trees; as data, the events of a trace in one flat list, each after its cause."""
    from vextir_os.cli.output import write_document
    from vextir_os.cli.tree import tree_lines

    for number, found in enumerate(traces):
        if form == "table":
            to.write(*([""] if number else []), *(to.text(line, lead) for lead, line in tree_lines(found)))
        elif form == "jsonl":
            for event in _events(found):
                write_document(to, form, {"schema": "vextir.event.v1", **event})
        else:
            document = {"schema": "vextir.trace.v1", "id": found.record["event_id"], "events": _events(found)}
            write_document(to, form, document)


def _events(found: reading.Trace) -> list[dict[str, Any]]:
    from vextir_os.cli.tree import every_record

    return [reading.view(record) for record in every_record(found)]
