"""`vextir pause` and `vextir resume`: hold back drivers, types of events or tenants, while events are taken in."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project, Words, no_words, seconds
from vextir_os.cli.project import open_to_act, open_to_read, settings_of
from vextir_os.kernel import operator
from vextir_os.local.loop import run
from vextir_os.processor.pausing import pause_view
from vextir_os.runs.pauses import PauseDoc, PauseKind
from vextir_os.settings import Settings

For = Annotated[str | None, Parameter(name="--for", help="When it ends by itself: 30m, 1h, 2d.", show_default=False)]
Reason = Annotated[str, Parameter(help="Why, for those who look at it later.", show_default=False)]
Driver = Annotated[str, Parameter(help="Id of the driver: mail.send.")]
Capability = Annotated[str, Parameter(help="Type of events, or a pattern: mail.*.")]
Tenant = Annotated[str, Parameter(help="The tenant.")]

HEAD = ("KIND", "NAME", "SINCE", "UNTIL", "BY", "REASON")

app = App(name="pause", help="Hold back a driver, a type of events or a tenant; `pause list` shows what is.")
resume_app = App(name="resume", help="End a pause; what waited goes on.")


@app.command(name="driver")
def pause_driver(name: Driver, /, *, for_: For = None, reason: Reason = "", project: Project = None) -> int:
    """Hold back the runs of a driver."""
    return _pause(project, "driver", name, for_, reason)


@app.command(name="capability")
def pause_capability(name: Capability, /, *, for_: For = None, reason: Reason = "", project: Project = None) -> int:
    """Hold back the runs for all events of a type or pattern."""
    return _pause(project, "capability", name, for_, reason)


@app.command(name="tenant")
def pause_tenant(name: Tenant, /, *, for_: For = None, reason: Reason = "", project: Project = None) -> int:
    """Hold back the runs for all events of a tenant."""
    return _pause(project, "tenant", name, for_, reason)


@app.default
@app.command(name="list")
def list_pauses(*words: Words, output: Output = "table", project: Project = None) -> int:
    """List what is paused."""
    no_words(words, ("driver", "capability", "tenant", "list"))
    from vextir_os.cli.output import write_list

    entries = run(listed(settings_of(project)))
    to, now = screen.stdout(), time.time()
    items = [pause_view(entry) for entry in entries]
    write_list(
        to, output, many="pauses", one="pause", items=items, table=[_row(to, item, now) for item in items], head=HEAD
    )
    if not items:
        screen.stderr().write("nothing is paused")
    return Exit.DONE


@resume_app.command(name="driver")
def resume_driver(name: Driver, /, *, project: Project = None) -> int:
    """Let a driver's runs go on."""
    return _resume(project, "driver", name)


@resume_app.command(name="capability")
def resume_capability(name: Capability, /, *, project: Project = None) -> int:
    """Let the runs for events of a type or pattern go on."""
    return _resume(project, "capability", name)


@resume_app.command(name="tenant")
def resume_tenant(name: Tenant, /, *, project: Project = None) -> int:
    """Let the runs for events of a tenant go on."""
    return _resume(project, "tenant", name)


def _pause(project: Any, kind: PauseKind, name: str, for_: str | None, reason: str) -> int:
    from vextir_os.cli.text import moment, visible

    for_s = None if for_ is None else seconds(for_, "--for")
    settings = settings_of(project)

    async def act() -> PauseDoc:
        async with open_to_act(settings) as kernel:
            return await kernel.pausing.pause(kind, name, operator(settings), for_s=for_s, reason=reason)

    entry = run(act())
    end = "" if entry["until"] is None else f" until {moment(entry['until'])}"
    screen.stderr().write(
        f"{kind} {visible(name)} is paused{end}: what runs ends, events are taken in and wait. Running processes "
        f"follow within 5 s. Next: vextir resume {kind} {visible(name)}"
    )
    return Exit.DONE


def _resume(project: Any, kind: PauseKind, name: str) -> int:
    from vextir_os.cli.text import counted, visible

    settings = settings_of(project)

    async def act() -> int:
        async with open_to_act(settings) as kernel:
            return await kernel.pausing.resume(kind, name, operator(settings))

    count = run(act())
    screen.stderr().write(
        f"{kind} {visible(name)} goes on: {counted(count, 'event')} waited. Next: vextir events --follow"
    )
    return Exit.DONE


async def listed(settings: Settings) -> list[PauseDoc]:
    """Return what is paused in a project."""
    async with open_to_read(settings) as kernel:
        return await kernel.pausing.listed()


def _row(to: screen.Screen, item: Mapping[str, Any], now: float) -> screen.Line:
    from vextir_os.cli.text import moment, visible, wall_clock

    def when(time_s: float) -> str:
        return wall_clock(time_s, now) if to.terminal else moment(time_s)

    return [
        screen.Span(item["kind"]),
        screen.Span(visible(item["name"]), "bold"),
        screen.Span(when(item["at"]), "dim"),
        screen.Span("" if item["until"] is None else when(item["until"])),
        screen.Span(visible(item["by"])),
        screen.Span(visible(item["reason"]), "plain", elastic=True),
    ]
