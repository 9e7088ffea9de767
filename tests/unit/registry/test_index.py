"""The index: one file, the same bytes for the same drivers, and no silence when it no longer fits."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from vextir_os.errors import ManifestProblemsError, StaleIndexError
from vextir_os.registry.index import build_index, check_fresh, load_index, write_index
from vextir_os.registry.manifest_json import Index, decode_index, encode_index

TYPED = """\
    from pydantic import BaseModel
    from vextir_os import Retry

    class Mail(BaseModel):
        sender: str
        priority: int = 5

    @driver("mail.reader", kind="io", capabilities=["mail.received", "mail.*.again"], permissions=["emit:task.created"],
            timeout="90s", memory="512MB", retry=Retry(max_attempts=2, base_s=0.5, cap_s=10,
            on={"throttled": Retry(max_attempts=9)}), errors={"KeyError": "invalid"}, delivery="idempotent",
            version="3", description="Liest Post für dich.")
    async def read(event: Event, data: Mail) -> None: ...
    """


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two drivers and a fresh index."""
    write_driver(tmp_path, "mail", TYPED)
    write_driver(tmp_path, "chat", simple_driver("chat.reader", "chat.**"))
    write_index(tmp_path, build_index(tmp_path))
    return tmp_path


def stale(root: Path) -> list[str]:
    return [str(problem) for problem in check_fresh(root, load_index(root))]


def test_an_index_is_read_as_it_was_built(root: Path) -> None:
    assert load_index(root) == build_index(root)


def test_the_same_drivers_give_the_same_bytes(root: Path) -> None:
    written = (root / "drivers/index.json").read_bytes()
    assert encode_index(build_index(root)) == written


def test_the_same_drivers_elsewhere_give_the_same_bytes(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    write_driver(other, "chat", simple_driver("chat.reader", "chat.**"))
    write_driver(other, "mail", TYPED)
    assert encode_index(build_index(other)) == (root / "drivers/index.json").read_bytes()


def test_an_index_that_has_not_changed_is_not_written_again(root: Path) -> None:
    path = root / "drivers/index.json"
    before = path.stat().st_ino
    assert write_index(root, build_index(root)) == path
    assert path.stat().st_ino == before


def test_writing_leaves_no_half_finished_file_behind(root: Path) -> None:
    assert sorted(path.name for path in (root / "drivers").glob("*index*")) == ["index.json"]


def test_nothing_is_written_for_drivers_with_problems(root: Path) -> None:
    before = (root / "drivers/index.json").read_bytes()
    write_driver(root, "chat", simple_driver("Chat", "chat.**"))
    with pytest.raises(ManifestProblemsError):
        build_index(root)
    assert (root / "drivers/index.json").read_bytes() == before


def test_an_index_just_built_is_fresh(root: Path) -> None:
    assert stale(root) == []


def test_caches_dot_files_and_line_ends_of_a_checkout_do_not_make_it_stale(root: Path) -> None:
    cache = root / "drivers/chat/__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "driver.cpython-311.pyc").write_bytes(b"x")
    (root / "drivers/chat/.DS_Store").write_bytes(b"x")
    path = root / "drivers/chat/driver.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert stale(root) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param(
            lambda root: write_driver(root, "chat", simple_driver("chat.reader", "chat.*")),
            "drivers/chat was changed",
            id="code",
        ),
        pytest.param(
            lambda root: (root / "drivers/chat/README.md").write_text("Chat"), "drivers/chat was changed", id="new-file"
        ),
        pytest.param(
            lambda root: (root / "drivers/mail/driver.py").rename(root / "drivers/mail/other.txt"),
            "drivers/mail was removed",
            id="removed",
        ),
        pytest.param(
            lambda root: write_driver(root, "news", simple_driver("news", "news")), "drivers/news was added", id="added"
        ),
    ],
)
def test_a_stale_index_names_the_folder_and_the_command(
    root: Path, change: Callable[[Path], object], what: str
) -> None:
    change(root)
    assert stale(root) == [f"drivers/index.json: {what} since the driver index was built. Run: vextir build"]


def test_a_file_that_moves_its_bytes_into_another_changes_the_hash(root: Path) -> None:
    for first, second in (("ab", "c"), ("a", "bc")):
        write_driver(root, "chat", first, file="x.py")
        write_driver(root, "chat", second, file="y.py")
        assert stale(root) == [
            "drivers/index.json: drivers/chat was changed since the driver index was built. Run: vextir build"
        ]
    before = build_index(root).sources["drivers/chat"]
    write_driver(root, "chat", "ab", file="x.py")
    write_driver(root, "chat", "c", file="y.py")
    assert build_index(root).sources["drivers/chat"] != before


def test_a_project_without_a_drivers_folder_has_an_empty_index(tmp_path: Path) -> None:
    assert load_index(tmp_path) == Index()


def test_a_missing_index_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    write_driver(tmp_path, "chat", simple_driver("chat.reader", "chat.**"))
    with pytest.raises(StaleIndexError) as caught:
        load_index(tmp_path)
    assert str(caught.value) == "drivers/index.json: there is no driver index. Run: vextir build"


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        pytest.param(lambda raw: raw[:-30], "it is damaged, or holds the marks of a merge", id="cut"),
        pytest.param(lambda _: b"", "it is damaged, or holds the marks of a merge", id="empty"),
        pytest.param(lambda raw: b"<<<<<<< HEAD\n" + raw, "it is damaged, or holds the marks of a merge", id="merge"),
        pytest.param(lambda raw: b"\xff\xfe" + raw, "it is damaged, or holds the marks of a merge", id="encoding"),
        pytest.param(lambda _: b"[]", "it is no driver index", id="array"),
        pytest.param(lambda _: b"{}", "it is no driver index", id="other-object"),
        pytest.param(
            lambda raw: raw.replace(b'"v": 2', b'"v": 9'),
            "it has version 9, this Vextir OS reads version 2",
            id="version",
        ),
        pytest.param(lambda raw: raw.replace(b"chat.**", b"**"), "it was changed by hand", id="capability"),
        pytest.param(
            lambda raw: raw.replace(b"emit:task.created", b"emit:**"), "it was changed by hand", id="permission"
        ),
        pytest.param(lambda raw: raw.replace(b'"digest"', b'"digset"'), "it was changed by hand", id="no-digest"),
    ],
)
def test_an_index_that_the_build_did_not_write_is_refused(
    root: Path, damage: Callable[[bytes], bytes], what: str
) -> None:
    with pytest.raises(StaleIndexError) as caught:
        decode_index(damage((root / "drivers/index.json").read_bytes()))
    assert str(caught.value) == f"drivers/index.json: the driver index cannot be used: {what}. Run: vextir build"
