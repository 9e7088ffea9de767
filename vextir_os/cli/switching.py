"""`vextir drivers off`, `on` and `weight`: which drivers get new events, and which part of them each version does."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Flag, Project
from vextir_os.cli.project import open_to_act, open_to_read, settings_of
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import UsageError
from vextir_os.kernel import operator
from vextir_os.local.loop import run
from vextir_os.processor.pausing import pause_view
from vextir_os.processor.switching import shares_of
from vextir_os.runs.healthfile import UnwellDoc
from vextir_os.runs.pauses import PauseDoc
from vextir_os.runs.switches import OffDoc, SwitchesDoc
from vextir_os.settings import Settings

Name = Annotated[str, Parameter(help="Id of the driver: mail.send.")]
Reason = Annotated[str, Parameter(help="Why; it stands on the records of the events that go past it.")]
Weights = Annotated[str, Parameter(help="VERSION=WEIGHT, a part of 100, several times: 1=90 2=10.")]
Reset = Annotated[Flag, Parameter(help="Forget what was said: the weights of the manifests count again.")]

_FOLLOW = "Running processes follow within 5 s"


def add_to(app: App) -> None:
    """Add the commands to `vextir drivers`."""
    for command in (off, on, weight):
        app.command(command)


def off(name: Name, reason: Reason = "", /, *, project: Project = None) -> int:
    """Give a driver no new events; what it has begun goes on."""
    from vextir_os.cli.text import visible

    settings = settings_of(project)

    async def act() -> OffDoc:
        async with open_to_act(settings) as kernel:
            return await kernel.switching.off(name, operator(settings), reason=reason)

    run(act())
    screen.stderr().write(
        f"driver {visible(name)} is off: new events go past it, what it has begun ends. {_FOLLOW}. "
        f"Next: vextir drivers on {visible(name)}"
    )
    return Exit.DONE


def on(name: Name, /, *, project: Project = None) -> int:
    """Give a driver new events again."""
    from vextir_os.cli.text import visible

    settings = settings_of(project)

    async def act() -> None:
        async with open_to_act(settings) as kernel:
            await kernel.switching.on(name, operator(settings))

    run(act())
    screen.stderr().write(f"driver {visible(name)} is on: it gets new events. {_FOLLOW}")
    return Exit.DONE


def weight(name: Name, /, *weights: Weights, reset: Reset = False, project: Project = None) -> int:
    """Set which part of the new events each version of a driver gets."""
    from vextir_os.cli.text import visible

    said = dict(map(_weight, weights))
    if bool(said) == reset:
        raise UsageError("no weight is given" if not said else "--reset stands beside weights", hint="Write 2=10")
    settings = settings_of(project)

    async def act() -> Mapping[str, float]:
        async with open_to_act(settings) as kernel:
            return await kernel.switching.weigh(name, said, operator(settings))

    found = run(act())
    total = sum(found.values())
    shares = {version: each / total if total else 0.0 for version, each in found.items()}
    parts = ", ".join(f"version {visible(version)} gets {percent(share)}" for version, share in shares.items())
    screen.stderr().write(f"driver {visible(name)}: of its new events {parts}. {_FOLLOW}")
    return Exit.DONE


def percent(part: float) -> str:
    """Return a part of 1 as people read it: `10 %`, `33.3 %`."""
    return f"{100 * part:.3g} %"


class Said(NamedTuple):
    """What people have said of drivers: pauses by id, what is switched; and which say that they are not well."""

    pauses: Mapping[str, Mapping[str, Any]]
    switches: SwitchesDoc
    unwell: Mapping[str, UnwellDoc]

    def of(self, manifest: Manifest, versions: tuple[Manifest, ...]) -> dict[str, Any]:
        """Return what counts for a driver now; `share` is its part of 1 of the new events, where it has versions."""
        share = shares_of(versions, self.switches)[manifest.version] if len(versions) > 1 else None
        off = self.switches.get("off", {}).get(manifest.id)
        unwell = self.unwell.get(f"{manifest.id}@{manifest.version}" if len(versions) > 1 else manifest.id)
        unhealthy = None if unwell is None else {"reason": unwell["reason"], "since": unwell["since"]}
        return {"paused": self.pauses.get(manifest.id), "off": off, "share": share, "unhealthy": unhealthy}


def said_of_drivers(settings: Settings) -> Said:
    """Return what people have said of the drivers of a project; nothing where it has no data yet."""
    if not (settings.data_dir / "vextir.db").exists():
        return Said({}, {}, {})

    async def read() -> Said:
        async with open_to_read(settings) as kernel:
            pauses = {entry["name"]: pause_view(entry) for entry in await kernel.pausing.listed() if _of_driver(entry)}
            return Said(pauses, await kernel.switching.listed(), await kernel.health.known())

    return run(read())


def _of_driver(entry: PauseDoc) -> bool:
    return entry["kind"] == "driver"


def _weight(text: str) -> tuple[str, Any]:
    version, sign, number = text.rpartition("=")
    if not sign or not version or not (number.isascii() and number.isdecimal() and len(number) < 4):
        raise UsageError(f"{text[:80]!r} is no weight of a version", hint="Write VERSION=WEIGHT, such as 2=10")
    return version, int(number)
