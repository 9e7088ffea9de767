"""The folder `drivers/` as files: which folders are drivers, what is wrong there, their hashes. Imports no driver.

A driver is a folder `drivers/<name>/` with a `driver.py`. Names that begin with `.` or `_` are nobody's business here.
"""

import hashlib
import keyword
import re
from collections.abc import Iterator
from pathlib import Path

from vextir_os.errors import ManifestError, did_you_mean
from vextir_os.registry.forms.files import is_yaml_driver

DRIVERS = "drivers"
"""Folder of the drivers below the project root."""

MAIN = "driver.py"
"""File of a driver folder that declares its drivers."""

_TEXT_SUFFIXES = frozenset({".py", ".md", ".yaml", ".yml", ".json", ".toml", ".txt"})


def find_folders(base: Path, name: str = DRIVERS, *, strict: bool = True) -> tuple[list[Path], list[ManifestError]]:
    """Return the driver folders of a folder by name, and what is wrong with the others.

    One that is not there has none. A folder without Python files is no driver in Python, and no problem.

    Args:
        base: The folder.
        name: How it is called in messages.
        strict: Whether everything in it is to be a driver. A package of a pack may hold other modules too.
    """
    folders: list[Path] = []
    problems: list[ManifestError] = []
    for path in sorted(base.iterdir()) if base.is_dir() else ():
        if path.name.startswith((".", "_")):
            continue
        problem = _problem(path, name) if strict or (path / MAIN).is_file() else None
        if problem is not None:
            problems.append(problem)
        elif path.is_dir() and (path / MAIN).is_file():
            folders.append(path)
    return folders, problems


def text_problems(folder: Path, name: str = DRIVERS) -> list[ManifestError]:
    """Return one problem for each Python file of a driver folder that is not UTF-8 or cannot be read."""
    problems = []
    for path in _files(folder):
        if path.suffix != ".py":
            continue
        where = f"{name}/{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            what = f"not UTF-8: byte {error.start} cannot be decoded"
            problems.append(ManifestError(what, hint="Save the file as UTF-8", where=f"{where}:{line}"))
        except OSError as error:
            problems.append(ManifestError(f"cannot be read: {error.strerror}", where=where))
    return problems


def folder_hash(folder: Path) -> str:
    """Return `sha256:` + hex over the names and contents of a driver folder's files, the same on every system.

    Line ends of text files count as `\\n`, whatever a checkout made of them. Caches and dot files do not count.
    """
    digest = hashlib.sha256()
    for path in _files(folder):
        name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        content = path.read_bytes()
        if path.suffix in _TEXT_SUFFIXES:
            content = content.replace(b"\r\n", b"\n")
        digest.update(b"%d:%b%d:%b" % (len(name), name, len(content), content))
    return f"sha256:{digest.hexdigest()}"


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder by name. Pipes and broken links are left out: reading one may never end."""
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if not hidden and path.suffix != ".pyc" and path.is_file():
            found.append(path)
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _problem(path: Path, name: str) -> ManifestError | None:
    where = f"{name}/{path.name}"
    if not path.is_dir():
        if path.suffix != ".py":
            return None
        hint = f"Move it to {name}/{path.stem}/{MAIN}"
        return ManifestError("a Python file beside the driver folders is no driver", hint=hint, where=where)
    sources = sorted(file.name for file in path.glob("*.py"))
    if not sources:
        return None
    if not path.name.isidentifier() or keyword.iskeyword(path.name):
        better = re.sub(r"\W", "_", path.name)
        better = f"{better}_driver" if keyword.iskeyword(better) else better
        hint = f"Rename the folder to {name}/{better if better.isidentifier() else 'driver_' + better}"
        return ManifestError(f"the folder name `{path.name}` is no Python name", hint=hint, where=where)
    if MAIN not in sources and not any(map(is_yaml_driver, path.iterdir())):
        near = did_you_mean(MAIN, sources)
        hint = f"Rename {near[len('Did you mean `') : -2]} to {MAIN}" if near else f"Declare the driver in {MAIN}"
        return ManifestError(f"the folder has Python files and no {MAIN}", hint=hint, where=where)
    return None
