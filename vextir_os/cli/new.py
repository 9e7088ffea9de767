"""`vextir new`: a project that runs and passes its own test at once. Nothing that is there is written over."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit

Name = Annotated[str, Parameter(help="What it is called: a-z, 0-9 and `-`.")]
Folder = Annotated[
    Path | None,
    Parameter(
        name="--dir", help="The folder to make it in, empty or new; by default one of its name.", show_default=False
    ),
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


def _near(path: Path) -> str:
    """Return a path as a person in this folder would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
