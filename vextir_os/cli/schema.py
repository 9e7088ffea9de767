"""`vextir schema`: what a project says of itself to machines, on stdout or as files.

What goes to a file is the same, byte for byte, as long as the drivers are.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, warn
from vextir_os.cli.indexing import packs_of
from vextir_os.cli.options import Flag, Project, Words, no_words
from vextir_os.cli.output import table_lines, yaml_text
from vextir_os.cli.project import settings_of
from vextir_os.cli.root import find_root
from vextir_os.cli.text import visible, visible_json
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import NotFoundError, UsageError, VextirError, did_you_mean, shown
from vextir_os.events import jsonio
from vextir_os.registry.index import check_fresh, load_index
from vextir_os.settings import Settings

Form = Annotated[
    Literal["json", "yaml"],
    Parameter(name=["--output", "-o"], help="Form of the document: json or yaml.", show_choices=False),
]
Type = Annotated[str, Parameter(help="Type of the events: order.placed.")]
Folder = Annotated[Path | None, Parameter(name="--to", help="A folder to write files to.", show_default=False)]
File = Annotated[Path | None, Parameter(name="--to", help="The file to write.", show_default=False)]

Write = Annotated[Flag, Parameter(help="Write them to .vscode/vextir, and name them in .vscode/settings.json.")]

_SCHEMAS = ".vscode/vextir"
_OURS: Mapping[str, type] = {"yaml.schemas": dict, "json.schemas": list}

app = App(name="schema", help="Write what machines read of the project: AsyncAPI, JSON Schema, schemas for editors.")


@app.default
@app.command
def asyncapi(*words: Words, to: File = None, output: Form = "json", project: Project = None) -> int:
    """Write the AsyncAPI 3.0 document of the project: its events as channels, its drivers as operations."""
    no_words(words, ("asyncapi", "events", "event", "editor"))
    from vextir_os.schemas.asyncapi import asyncapi as document
    from vextir_os.schemas.project import info_of

    settings = settings_of(project)
    made = document(_manifests(settings), info_of(settings))
    if to is None:
        screen.stdout().write(_text(made, output))
    else:
        _write(to, _text(made, output))
    return Exit.DONE


@app.command
def events(*, to: Folder = None, output: Form = "json", project: Project = None) -> int:
    """Write one JSON Schema that checks events of all types; with --to, also one of the data of each type."""
    from vextir_os.schemas.events import data_schema, event_schema
    from vextir_os.schemas.project import info_of
    from vextir_os.schemas.types import known_types

    settings = settings_of(project)
    types = known_types(_manifests(settings))
    whole = event_schema(types, f"Events of {info_of(settings).title}")
    if to is None:
        screen.stdout().write(_text(whole, output))
        return Exit.DONE
    made = {"event": whole, **{f"{name}.data": data_schema(known) for name, known in types.items()}}
    for name, content in made.items():
        # Not the keys of the document: where capitals do not count, `github.ANY` is the file of `github.any`.
        _write(to / f"{name.replace('*', '+')}.schema.{output}", _text(content, output))
    return Exit.DONE


@app.command
def event(type_: Type, /, *, output: Form = "json", project: Project = None) -> int:
    """Print the JSON Schema of the data of one type."""
    from vextir_os.schemas.events import data_schema
    from vextir_os.schemas.types import known_types, of_one

    settings = settings_of(project)
    manifests = _manifests(settings)
    known = of_one(type_, manifests)
    if known is None:
        hint = did_you_mean(type_, known_types(manifests)) or "Run: vextir schema events"
        raise NotFoundError(f"no driver of this project handles or emits events of type {shown(type_)}", hint=hint)
    screen.stdout().write(_text(data_schema(known), output))
    return Exit.DONE


@app.command
def editor(*, to: Folder = None, write: Write = False, project: Project = None) -> int:
    """List the kinds of files that editors can check; with --write, set up VS Code; with --to, write their schemas."""
    from vextir_os.schemas.editor import KINDS, editor_settings

    if write:
        root = find_root(Path.cwd(), project)
        settings = root / ".vscode" / "settings.json"
        content = editor_settings(_SCHEMAS, _settings_of(settings))
        to = to or root / _SCHEMAS
    if to is not None:
        for kind in KINDS:
            _write(to / kind.file, _text(kind.schema(), "json"))
    if write:
        _write(settings, json.dumps(content, indent=2, ensure_ascii=False))
    if to is None:
        rows = [[screen.Span(kind.file, "bold"), screen.Span(", ".join(kind.files))] for kind in KINDS]
        screen.stdout().write(*table_lines(screen.stdout(), rows, ("SCHEMA", "FILES")))
    return Exit.DONE


def _manifests(settings: Settings) -> Sequence[Manifest]:
    """Return what the index says, and say so where the drivers have changed since."""
    index = load_index(settings.root)
    stale = check_fresh(settings.root, index, packs_of(settings))
    if stale:
        warn(screen.stderr(), f"{stale[0].what}: this is how it was then. {stale[0].hint}")
    return index.manifests


def _settings_of(path: Path) -> dict[str, Any]:
    """Return the settings of VS Code that a project has. Raises `UsageError` where more than JSON stands there."""
    try:
        found = jsonio.loads_strict(path.read_bytes()) if path.exists() else {}
    except (VextirError, OSError) as error:
        found = error
    if isinstance(found, dict) and all(isinstance(found.get(name, kind()), kind) for name, kind in _OURS.items()):
        return found
    hint = "It may have comments, which would be lost. Use --to DIR, and name the schemas there yourself"
    raise UsageError(f"{path} is no plain JSON object of settings; nothing was written", hint=hint)


def _text(document: Mapping[str, Any], form: str) -> str:
    # What stands in two places is written out in both: YAML would point from one to the other.
    return yaml_text(json.loads(json.dumps(document))) if form == "yaml" else visible_json(document, indent=2)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    screen.stderr().write(f"written: {visible(str(path))}")
