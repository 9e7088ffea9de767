"""New files: all or none, and never over one that is there."""

from pathlib import Path

import pytest

from vextir_os.errors import UsageError
from vextir_os.scaffold.writing import check_empty, write_new


def tree(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    write_new(tmp_path / "new", {"a/b/c.txt": b"c", "d.txt": b"d"})
    assert tree(tmp_path / "new") == ["a", "a/b", "a/b/c.txt", "d.txt"]
    assert (tmp_path / "new" / "a/b/c.txt").read_bytes() == b"c"


@pytest.mark.parametrize("dangling", [pytest.param(False, id="file"), pytest.param(True, id="dangling-link")])
def test_what_is_there_is_never_written_over_and_nothing_else_is_written(tmp_path: Path, dangling: bool) -> None:
    there = tmp_path / "b.txt"
    there.symlink_to(tmp_path / "outside") if dangling else there.write_text("mine")
    with pytest.raises(UsageError, match=r"b\.txt is there already\. Nothing was written"):
        write_new(tmp_path, {"a.txt": b"", "b.txt": b"theirs"})
    assert tree(tmp_path) == ["b.txt"]
    assert dangling or there.read_text() == "mine"


def test_what_was_written_goes_again_when_the_rest_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a folder is wanted")
    with pytest.raises(UsageError, match=r"cannot be written: .*\. Nothing was left behind"):
        write_new(tmp_path, {"new/x.txt": b"x", "a/y.txt": b"y"})
    assert tree(tmp_path) == ["a"]


def test_a_folder_that_is_empty_or_not_there_may_become_a_project(tmp_path: Path) -> None:
    check_empty(tmp_path)
    check_empty(tmp_path / "new")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: (path.mkdir(), (path / ".git").mkdir()), "the folder .* is not empty", id="hidden"),
        pytest.param(lambda path: path.write_text(""), "is there already, and no folder", id="file"),
        pytest.param(lambda path: path.symlink_to("nowhere"), "is there already, and no folder", id="link"),
    ],
)
def test_a_folder_that_holds_something_may_not(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "there"
    assert callable(make)
    make(path)
    with pytest.raises(UsageError, match=message):
        check_empty(path)
