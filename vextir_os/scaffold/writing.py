"""Putting new files on the disk: all of them or none, and never over one that is there."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from vextir_os.errors import UsageError


def write_new(root: Path, contents: Mapping[str, bytes]) -> None:
    """Write files that are not there yet, with the folders that they need. What was written goes if one cannot be.

    Args:
        root: The folder that the paths are in; made when it is not there.
        contents: Contents by path, `/` between its parts.

    Raises:
        UsageError: A file is there already, or cannot be written; the folder is as it was.
    """
    taken = [path for path in contents if (root / path).exists() or (root / path).is_symlink()]
    if taken:
        raise UsageError(
            f"{root / taken[0]} is there already", hint="Nothing was written. Move it, or choose another name"
        )
    made: list[Path] = []
    try:
        for path, content in contents.items():
            _make_folders((root / path).parent, made)
            with (root / path).open("xb") as file:
                made.append(root / path)
                file.write(content)
    except OSError as error:
        for there in reversed(made):
            with contextlib.suppress(OSError):
                there.rmdir() if there.is_dir() else there.unlink()
        where = error.filename or root
        raise UsageError(
            f"{where} cannot be written: {error.strerror or error}", hint="Nothing was left behind"
        ) from error


def check_empty(folder: Path) -> None:
    """Say that a project cannot be made here. Raises `UsageError` unless the folder is empty or not there."""
    hint = "Name another folder with --dir, or move what is there. Nothing is overwritten"
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is there already, and no folder", hint=hint)
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"the folder {folder} is not empty", hint=hint)


def _make_folders(folder: Path, made: list[Path]) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent, made)
    folder.mkdir()
    made.append(folder)
