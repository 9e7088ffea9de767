"""The templates that lie in this package as files: reading them and filling them in. Writes nothing.

A template is a file of its own name and `.tmpl`. `<<name>>` stands for a value; a value is text that was checked, and
is put in as it is. A name that nobody gave a value, and a value that no template wants, are both errors of ours.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

SUFFIX = ".tmpl"

_MARK = re.compile(r"<<([a-z_]+)>>")


def render(name: str, values: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of a template by their path, `/` between its parts, in order.

    Args:
        name: Folder below `templates/`: `project`, `driver/tool`.
        values: What stands for each mark.

    Raises:
        KeyError: A template names a value that is not given.
    """
    folder = files(__package__).joinpath("templates", *name.split("/"))
    return {
        path.removesuffix(SUFFIX): _filled(entry.read_text(encoding="utf-8"), values).encode()
        for path, entry in sorted(_walk(folder, ""))
    }


def packaged(name: str) -> str:
    """Return a file of this package that is no template, as text."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _walk(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        path = f"{above}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        elif path.endswith(SUFFIX):
            yield path, entry


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda found: values[found[1]], text)
