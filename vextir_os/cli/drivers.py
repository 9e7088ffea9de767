"""`vextir drivers`: which drivers there are, what they handle and may use. `vextir build`: their index."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.indexing import built, packs_of
from vextir_os.cli.options import Flag, Output, Project, Words, no_words
from vextir_os.cli.project import settings_of
from vextir_os.cli.switching import add_to, percent, said_of_drivers
from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.versions import leading, versions_of
from vextir_os.errors import StaleIndexError, UnknownDriverError, did_you_mean, shown
from vextir_os.settings import Settings

HEAD = ("ID", "KIND", "VERSION", "WHERE", "CAPABILITIES", "PERMISSIONS")
_LAST = 10

Name = Annotated[str, Parameter(help="Id of the driver.")]
Check = Annotated[Flag, Parameter(help="Build nothing: say whether the index is fresh, and end with 1 if it is not.")]

app = App(name="drivers", help="List the drivers of the project; `drivers show NAME` shows one.", sort_key=6)
add_to(app)


@app.default
@app.command(name="list")
def drivers(*words: Words, output: Output = "table", project: Project = None) -> int:
    """List the drivers of the project, from their index."""
    no_words(words, ("list", "show", "packs", "off", "on", "weight"))
    from vextir_os.cli.driver_view import held_of, row_of
    from vextir_os.cli.output import write_list
    from vextir_os.registry.index import load_index

    settings = settings_of(project)
    index = load_index(settings.root)
    said, versions = said_of_drivers(settings), versions_of(index.manifests)
    items = [row_of(manifest) | said.of(manifest, versions[manifest.id]) for manifest in index.manifests]
    lines = [_line(manifest) for manifest in index.manifests]
    head: tuple[str, ...] = HEAD
    held = [held_of(manifest) for manifest in index.manifests]
    if any(held):
        head = (*head, "RUNS")
        lines = [[*line, screen.Span(text)] for line, text in zip(lines, held, strict=True)]
    if any(item["share"] is not None for item in items):
        head = (*head[:3], "GETS", *head[3:])
        lines = [_with(line, 3, _gets(item)) for line, item in zip(lines, items, strict=True)]
    if any(item["paused"] or item["off"] or item["unhealthy"] for item in items):
        head = (head[0], "NOW", *head[1:])
        lines = [_with(line, 1, _now(item)) for line, item in zip(lines, items, strict=True)]
    write_list(screen.stdout(), output, many="drivers", one="driver", items=items, table=lines, head=head)
    if not items:
        screen.stderr().write("no drivers. Put one into drivers/<name>/driver.py")
    return Exit.DONE


@app.command
def show(name: Name, /, *, output: Output = "table", project: Project = None) -> int:
    """Show a driver in full: its manifest, where it comes from, what data it takes, its last runs."""
    from vextir_os.cli.driver_view import driver_lines, view_of
    from vextir_os.cli.output import write_document
    from vextir_os.registry.index import load_index

    settings = settings_of(project)
    versions = versions_of(load_index(settings.root).manifests)
    if name not in versions:
        hint = did_you_mean(name, versions) or "Run: vextir drivers"
        raise UnknownDriverError(f"there is no driver {shown(name)}", hint=hint)
    manifest = leading(versions[name])
    said = said_of_drivers(settings)
    view = view_of(manifest, _last_runs(settings, name)) | said.of(manifest, versions[name])
    view["versions"] = {each.version: said.of(each, versions[name])["share"] for each in versions[name]}
    to = screen.stdout()
    if output != "table":
        write_document(to, output, {"schema": "vextir.driver-details.v1", **view})
        return Exit.DONE
    to.write(*driver_lines(to, manifest, view))
    if view["paused"] is not None:
        screen.stderr().write(f"it is paused. Next: vextir resume driver {name}")
    if view["unhealthy"] is not None:
        from vextir_os.cli.text import visible

        screen.stderr().write(f"it is not well: {visible(view['unhealthy']['reason'])}")
    if view["off"] is not None:
        screen.stderr().write(f"it is off. Next: vextir drivers on {name}")
    return Exit.DONE


@app.command
def packs(*, output: Output = "table", project: Project = None) -> int:
    """List the packs that are installed, and whether the settings name them. Imports none."""
    from vextir_os.cli.output import write_list
    from vextir_os.cli.text import visible
    from vextir_os.registry.packs import installed_packs, normalised

    named = set(map(normalised, settings_of(project).packs))
    items = [
        {"name": pack.name, "version": pack.version, "package": pack.package, "problem": pack.problem,
         "runs": pack.name in named and not pack.problem}
        for pack in installed_packs()
    ]  # fmt: skip
    lines = [
        [screen.Span(visible(str(item["name"])), "bold"), screen.Span(visible(str(item["version"]))),
         screen.Span("runs" if item["runs"] else "not used", "plain" if item["runs"] else "dim"),
         screen.Span(visible(str(item["package"]))), screen.Span(visible(str(item["problem"])), "warn")]
        for item in items
    ]  # fmt: skip
    head = ("PACK", "VERSION", "STATE", "PACKAGE", "PROBLEM")
    write_list(screen.stdout(), output, many="packs", one="pack", items=items, table=lines, head=head)
    idle = [str(item["name"]) for item in items if not item["runs"] and not item["problem"]]
    if idle:
        screen.stderr().write(f"to use one: VEXTIR_PACKS={idle[0]}, then vextir build")
    return Exit.DONE


def build(*, check: Check = False, project: Project = None) -> int:
    """Write the driver index, drivers/index.json; the OS starts from it without importing a driver."""
    from vextir_os.cli.text import counted
    from vextir_os.registry.index import check_fresh, load_index, write_index
    from vextir_os.registry.manifest_json import INDEX_FILE

    settings = settings_of(project)
    root = settings.root
    to = screen.stderr()
    if not check:
        index = built(settings)
        write_index(root, index)
        to.write(f"{INDEX_FILE}: {counted(len(index.manifests), 'driver')}")
        return Exit.DONE
    index = load_index(root)
    stale = check_fresh(root, index, packs_of(settings))
    if stale:
        raise stale[0] if len(stale) == 1 else _all_stale(stale)
    to.write(f"{INDEX_FILE} is fresh: {counted(len(index.manifests), 'driver')}")
    return Exit.DONE


def _last_runs(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return the newest runs of a driver, from the newest events; none where the project has no data yet."""
    if not (settings.data_dir / "vextir.db").exists():
        return []
    from vextir_os.local.loop import run

    return run(_newest(settings, name))


async def _newest(settings: Settings, name: str) -> list[dict[str, Any]]:
    from vextir_os.cli.project import open_to_read
    from vextir_os.runs.runlist import Wanted, page

    async with open_to_read(settings) as kernel:
        return [*(await page(kernel.store, settings.tenant, Wanted(driver=name), limit=_LAST)).items][:_LAST]


def _with(line: screen.Line, at: int, span: screen.Span) -> screen.Line:
    return [*line[:at], span, *line[at:]]


def _now(item: Mapping[str, Any]) -> screen.Span:
    words = [word for word in ("off", "paused", "unhealthy") if item[word]]
    return screen.Span(", ".join(words), "warn")


def _gets(item: Mapping[str, Any]) -> screen.Span:
    return screen.Span("" if item["share"] is None else percent(item["share"]))


def _all_stale(stale: list[StaleIndexError]) -> StaleIndexError:
    changes = "; ".join(problem.what.partition(" since ")[0] for problem in stale)
    return StaleIndexError(
        f"the driver index is older than the drivers: {changes}", hint=stale[0].hint, where=stale[0].where
    )


def _line(manifest: Manifest) -> screen.Line:
    from vextir_os.cli.text import visible

    return [
        screen.Span(visible(manifest.id), "bold"),
        screen.Span(manifest.kind),
        screen.Span(visible(manifest.version)),
        screen.Span(visible(f"{manifest.entry.rpartition(':')[0]}:{manifest.line}"), "dim"),
        screen.Span(visible(", ".join(manifest.capabilities))),
        screen.Span(visible(", ".join(manifest.permissions)), "plain", elastic=True),
    ]
