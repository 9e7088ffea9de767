"""`vextir config`: every setting with its value and where that comes from; one of them; whether all can be used."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project, Words, no_words
from vextir_os.cli.root import find_root
from vextir_os.cli.text import counted, visible
from vextir_os.errors import UnknownSettingError, did_you_mean, shown
from vextir_os.settings.kinds import Kind
from vextir_os.settings.model import DEFAULTS, MEANINGS
from vextir_os.settings.sources import Found, find_settings, known, variable

HEAD = ("SETTING", "VALUE", "FROM")

Name = Annotated[str, Parameter(help="Name of the setting: port, or VEXTIR_PORT.")]

app = App(name="config", help="Show every setting with its value and where that comes from.")


@app.default
@app.command(name="list")
def config(*words: Words, output: Output = "table", project: Project = None) -> int:
    """Show every setting with its value and where that comes from; also when some are wrong."""
    no_words(words, ("list", "get", "check"))
    from vextir_os.cli.output import write_list

    found = _found(project)
    items = [setting_view(found, name) for name in MEANINGS]
    lines = [_line(found, name) for name in MEANINGS]
    write_list(screen.stdout(), output, many="settings", one="setting", items=items, table=lines, head=HEAD)
    found.settings()
    return Exit.DONE


@app.command
def get(name: Name, /, *, output: Output = "table", project: Project = None) -> int:
    """Print the value of one setting."""
    from vextir_os.cli.output import write_document

    setting = known(name)
    if setting is None:
        hint = did_you_mean(name.lower().removeprefix("vextir_"), MEANINGS) or "Run: vextir config"
        raise UnknownSettingError(f"there is no setting {shown(name)}", hint=hint)
    found = _found(project)
    if setting in found.wrong:
        raise found.wrong[setting]
    if output == "table":
        screen.stdout().write(visible(MEANINGS[setting].kind.show(found.values[setting])))
    else:
        write_document(screen.stdout(), output, {"schema": "vextir.setting.v1", **setting_view(found, setting)})
    return Exit.DONE


@app.command
def check(*, project: Project = None) -> int:
    """Say whether all settings can be used; name all that is wrong."""
    found = _found(project)
    found.settings()
    chosen = [origin for origin in found.origins.values() if origin.source != "default"]
    screen.stderr().write(f"{counted(len(found.origins), 'setting')}, {len(chosen)} not at the default: no problems")
    return Exit.DONE


def setting_view(found: Found, name: str) -> Mapping[str, Any]:
    """Return a setting as it is shown, without what is secret in it. `wrong` is what is wrong with it, or None."""
    kind, origin = MEANINGS[name].kind, found.origins[name]
    return {
        "name": name,
        "variable": variable(name),
        "value": _json(kind, found.values[name]),
        "default": _json(kind, DEFAULTS[name]) if name in DEFAULTS else None,
        "origin": origin.source,
        "place": origin.place or None,
        "wrong": str(found.wrong[name]) if name in found.wrong else None,
    }


def _found(project: Path | None) -> Found:
    return find_settings(find_root(Path.cwd(), project), os.environ)


def _json(kind: Kind, value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, int | float) else kind.show(value)


def _line(found: Found, name: str) -> screen.Line:
    origin, wrong = found.origins[name], found.wrong.get(name)
    place = screen.Span(visible(origin.place or origin.source), "plain" if origin.place else "dim")
    return [
        screen.Span(name, "bold" if origin.place else "plain"),
        screen.Span(visible(MEANINGS[name].kind.show(found.values[name]) or "-"), elastic=True),
        screen.Span(f"not used: {visible(str(wrong))}", "error") if wrong else place,
    ]
