"""`vextir new`: a project, or a driver in one, that runs and passes its own test at once. Nothing is written over."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, warn
from vextir_os.cli.options import Project
from vextir_os.errors import UsageError
from vextir_os.settings import Settings

Name = Annotated[str, Parameter(help="What it is called: a-z, 0-9 and `-`.")]
Folder = Annotated[
    Path | None,
    Parameter(
        name="--dir", help="The folder to make it in, empty or new; by default one of its name.", show_default=False
    ),
]
DriverName = Annotated[str, Parameter(help="What it is called: a-z, 0-9 and `_`; a Python name.")]
Kind = Annotated[str, Parameter(help="What it is: agent, tool, io or ui.")]
Capability = Annotated[
    str, Parameter(help="Type or pattern of the events that it handles; by default one of its name.")
]

app = App(name="new", help="Make a project; `new driver NAME` adds a driver to one.")


@app.default
def new(name: Name, /, *, folder: Folder = None) -> int:
    """Make a project: a driver with its policies and its test, and the OS itself as a wheel."""
    from vextir_os.cli.text import counted, visible
    from vextir_os.registry.index import build_index, write_index
    from vextir_os.scaffold.names import check_project
    from vextir_os.scaffold.project import project_files
    from vextir_os.scaffold.wheel import make_wheel
    from vextir_os.scaffold.writing import check_empty, write_new

    root = (folder or Path(check_project(name))).expanduser().absolute()
    check_project(name)
    check_empty(root)
    files = project_files(name, make_wheel())
    write_new(root, files)
    write_index(root, build_index(root))
    screen.stdout().write(visible(str(root)))
    hints = screen.stderr()
    hints.write(f"{counted(len(files) + 1, 'file')}. Next: cd {visible(_near(root))} && make test")
    return Exit.DONE


From = Annotated[
    Path | None,
    Parameter(name="--from", help="An OpenAPI 3.0 or 3.1 document: one capability per operation.", show_default=False),
]
Only = Annotated[
    list[str] | None,
    Parameter(name="--only", help="Ids of the operations that are wanted, with --from; else all.", show_default=False),
]


@app.command
def driver(
    name: DriverName = "",
    /,
    *,
    kind: Kind = "",
    capability: Capability = "",
    document: From = None,
    only: Only = None,
    project: Project = None,
) -> int:
    """Add a driver to the project: its folder, the policy that it needs, and its test."""
    from vextir_os.cli.project import settings_of
    from vextir_os.scaffold.driver import driver_files
    from vextir_os.scaffold.writing import write_new

    if document is None and (only or not name):
        what = "--only chooses operations of a document" if only else "a driver needs a name"
        raise UsageError(what, hint="Run: vextir new driver NAME, or vextir new driver --from openapi.json")
    settings = settings_of(project)
    if document is None:
        files = driver_files(name, kind or "tool", capability)
    else:
        if kind or capability:
            raise UsageError("--kind and --capability do not go with --from", hint="A document makes tools")
        name, files = _from_document(document, name, only or [])
    write_new(settings.root, files)
    screen.stdout().write(*files)
    _index(settings)
    screen.stderr().write(f"next: python -m pytest tests/test_{name}.py. Then make drivers/{name}/driver.py your own")
    return Exit.DONE


def _from_document(document: Path, name: str, only: list[str]) -> tuple[str, Mapping[str, bytes]]:
    """Return name and files of the driver of a document; say which operations it cannot do."""
    from vextir_os.scaffold.openapi.driver import openapi_driver
    from vextir_os.scaffold.openapi.reading import read_document

    ids = [id_.strip() for one in only for id_ in one.split(",") if id_.strip()]
    made = openapi_driver(read_document(document.expanduser()), name, ids)
    for line in made.left_out:
        warn(screen.stderr(), line)
    return made.name, made.files


def _index(settings: Settings) -> None:
    """Write the index with the new driver in it, unless another driver of the project keeps it from being built."""
    from vextir_os.cli.indexing import built
    from vextir_os.errors import DriverError
    from vextir_os.registry.index import write_index

    try:
        write_index(settings.root, built(settings))
    except DriverError as error:
        warn(screen.stderr(), f"drivers/index.json was not written: {error.what}. Run: vextir build")


def _near(path: Path) -> str:
    """Return a path as a person in this folder would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
