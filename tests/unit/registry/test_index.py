"""The index: one file, the same bytes for the same drivers, and no silence when it no longer fits."""

import dataclasses
import json
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.drivers import simple_driver, write_driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestProblemsError, StaleIndexError
from vextir_os.registry.index import build_index, check_fresh, load_index, write_index
from vextir_os.registry.manifest_json import VALUES, Index, _sealed, decode_index, encode_index
from vextir_os.registry.stored import StoredManifests

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


def sealed(body: dict[str, Any]) -> bytes:
    """Return the bytes of an index file with this body, under a digest that is right."""
    return _sealed({name: value for name, value in body.items() if name != "digest"})


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
        pytest.param(lambda _: sealed({"v": 2}), "it is no driver index", id="sealed-object"),
        pytest.param(
            lambda raw: sealed(json.loads(raw) | {"v": 1}),
            "it has version 1, this Vextir OS reads version 2",
            id="sealed-version",
        ),
        pytest.param(
            lambda raw: sealed(json.loads(raw) | {"shape": "of another day"}),
            "it was built by another version of Vextir OS",
            id="shape",
        ),
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


@pytest.mark.parametrize(
    "lay_out",
    [
        pytest.param(lambda raw: raw.replace(b"\n", b"\r\n"), id="line-ends-of-windows"),
        pytest.param(lambda raw: json.dumps(json.loads(raw)).encode(), id="one-line"),
        pytest.param(lambda raw: raw.rstrip() + b"\n\n", id="empty-line-at-the-end"),
    ],
)
def test_an_index_whose_layout_alone_has_changed_is_read(root: Path, lay_out: Callable[[bytes], bytes]) -> None:
    raw = (root / "drivers/index.json").read_bytes()
    assert lay_out(raw) != raw
    assert decode_index(lay_out(raw)) == build_index(root)


AWKWARD = st.text() | st.sampled_from(
    ["\n    },\n    {", '",\n      "kind": "', '\n  "manifests": [', '"]}', "\r\n  ]"]
)


@given(st.lists(st.tuples(AWKWARD, st.lists(st.sampled_from(["a", "a.b", "**"]), max_size=3)), max_size=5))
def test_no_text_in_a_manifest_is_taken_for_the_layout_of_the_file(found: list[tuple[str, list[str]]]) -> None:
    manifests = [
        Manifest(
            id=f"d{number}",
            kind="tool",
            capabilities=tuple(capabilities),
            description=text,
            schema={"title": text, "enum": [text, {}], "x": [{"id": text}]},
            module="d.driver",
            code_hash="sha256:1",
        )
        for number, (text, capabilities) in enumerate(found)
    ]
    index = Index(manifests=tuple(manifests), sources={"drivers/d": "sha256:1"})
    assert decode_index(encode_index(index)) == index


def test_reading_an_index_decodes_no_manifest(root: Path) -> None:
    manifests = load_index(root).manifests
    assert isinstance(manifests, StoredManifests)
    assert [head.id for head in manifests.heads] == ["chat.reader", "mail.reader"]
    assert manifests.decoded == 0
    assert manifests[-1] is manifests[1]
    assert manifests[0:1] == [manifests[0]]
    assert manifests.decoded == 2


def classes_of(hint: Any, seen: set[object]) -> set[object]:
    """Add the dataclasses that a type hint names, at any depth, to those seen, and return them."""
    if dataclasses.is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        for inner in typing.get_type_hints(hint).values():
            classes_of(inner, seen)
    for inner in typing.get_args(hint):
        classes_of(inner, seen)
    return seen


def test_the_shape_of_an_index_counts_every_class_of_a_manifest() -> None:
    assert classes_of(Manifest, set()) == set(VALUES)
