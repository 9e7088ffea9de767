"""Routing by capability and loading at the first event."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.drivers import simple_driver, write_driver
from vextir_os import Event, driver
from vextir_os.driverkit.call import call_driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import (
    DriverImportError,
    ManifestError,
    ManifestProblemsError,
    StaleIndexError,
    UnknownDriverError,
)
from vextir_os.events.identity import Principal
from vextir_os.events.patterns import matches
from vextir_os.registry import table as table_module
from vextir_os.registry.index import build_index, write_index
from vextir_os.registry.modules import forget_modules, package_name
from vextir_os.registry.registry import Registry
from vextir_os.runs.context import RunContext

ANN = Principal(kind="user", id="ann", tenant="acme")
CONTEXT = RunContext(driver="a", event_id="e-1", principal=ANN, attempt=1, rerun=0, now=1_795_200_000.0)


def manifest(driver_id: str, *capabilities: str) -> Manifest:
    return Manifest(id=driver_id, kind="tool", capabilities=capabilities)


def ids(manifests: tuple[Manifest, ...]) -> list[str]:
    return [found.id for found in manifests]


def opened(root: Path) -> Registry:
    """Return the registry of a project as a fresh process has it: index built, no driver imported."""
    write_index(root, build_index(root))
    forget_modules(root)
    return Registry.open(root)


async def answer(registry: Registry, driver_id: str) -> object:
    return await call_driver(registry.load(registry.get(driver_id)), Event(type="mail.received"), CONTEXT)


def test_the_most_specific_capability_comes_first() -> None:
    registry = Registry(
        [
            manifest("all", "**"),
            manifest("deep", "mail.**"),
            manifest("exact", "mail.received"),
            manifest("one", "mail.*"),
            manifest("other", "chat.*"),
        ]
    )
    assert ids(registry.route("mail.received")) == ["exact", "one", "deep", "all"]
    assert ids(registry.route("mail.received", mode="best")) == ["exact"]
    assert ids(registry.route("mail")) == ["deep", "all"]


def test_a_driver_with_several_matching_capabilities_runs_once_at_its_best_place() -> None:
    registry = Registry([manifest("a", "**", "mail.received"), manifest("b", "mail.*")])
    assert ids(registry.route("mail.received")) == ["a", "b"]


def test_equal_capabilities_are_ordered_by_id() -> None:
    registry = Registry([manifest("b", "mail.*"), manifest("c", "mail.*"), manifest("a", "mail.*")])
    assert ids(registry.route("mail.received")) == ["a", "b", "c"]


@pytest.mark.parametrize("mode", ["all", "best"])
def test_a_type_that_nobody_handles_goes_nowhere(mode: str) -> None:
    registry = Registry([manifest("a", "mail.*")])
    assert registry.route("chat.received", mode="all" if mode == "all" else "best") == ()


SEGMENTS = st.sampled_from(["a", "b", "*", "**"])
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=4).map(".".join)
TYPES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5).map(".".join)


@given(st.lists(st.lists(PATTERNS, min_size=1, max_size=3, unique=True), max_size=8), TYPES)
def test_a_route_holds_exactly_the_drivers_with_a_matching_capability(drivers: list[list[str]], type_: str) -> None:
    manifests = [manifest(f"d{number}", *capabilities) for number, capabilities in enumerate(drivers)]
    routed = ids(Registry(manifests).route(type_))
    expected = [found.id for found in manifests if any(matches(pattern, type_) for pattern in found.capabilities)]
    assert sorted(routed) == sorted(expected)


def test_routes_stay_right_for_more_types_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "CACHED_ROUTES", 3)
    registry = Registry([manifest("a", "mail.*")])
    for number in range(20):
        assert ids(registry.route(f"mail.n{number}")) == ["a"]
    assert len(registry._table._routes) <= 3


def test_a_driver_is_found_by_its_id() -> None:
    registry = Registry([manifest("mail.reader", "mail.*")])
    assert registry.get("mail.reader") is registry.manifests["mail.reader"]
    assert registry.find("mail.raeder") is None


def test_an_unknown_driver_is_an_error_with_the_nearest_id() -> None:
    registry = Registry([manifest("mail.reader", "mail.*")])
    with pytest.raises(UnknownDriverError) as caught:
        registry.get("mail.raeder")
    assert str(caught.value) == "there is no driver `mail.raeder`. Did you mean `mail.reader`?"


def test_two_drivers_of_one_id_are_refused() -> None:
    with pytest.raises(ManifestProblemsError, match="driver id `a` is declared twice"):
        Registry([manifest("a", "b"), manifest("a", "c")])


async def test_a_registry_of_functions_needs_no_files() -> None:
    @driver("mail.reader", capabilities=["mail.*"])
    async def read(event: Event) -> str:
        return event.type

    registry = Registry.of(read)
    assert ids(registry.route("mail.received")) == ["mail.reader"]
    assert await answer(registry, "mail.reader") == "mail.received"


def test_a_registry_of_functions_takes_drivers_only() -> None:
    async def read(event: Event) -> None: ...

    with pytest.raises(ManifestError, match="`read` is no driver"):
        Registry.of(read)


def test_a_registry_of_functions_checks_permissions_as_the_build_does() -> None:
    @driver("mail.reader", capabilities=["mail.*"], permissions=["tool:mail"])
    async def read(event: Event) -> None: ...

    with pytest.raises(ManifestProblemsError, match=r"driver `mail.reader`: permission `tool:mail` is no action: "):
        Registry.of(read)


async def test_a_module_is_imported_when_its_driver_is_loaded_and_only_then(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*", answer="read"))
    write_driver(tmp_path, "chat", simple_driver("chat.reader", "chat.*"))
    registry = opened(tmp_path)
    registry.route("mail.received")
    assert [name for name in sys.modules if name.startswith(package_name(tmp_path))] == []
    assert await answer(registry, "mail.reader") == "read"
    package = package_name(tmp_path)
    assert sorted(name for name in sys.modules if name.startswith(package)) == [
        package,
        f"{package}.mail",
        f"{package}.mail.driver",
    ]


def test_a_loaded_driver_carries_the_manifest_of_the_index(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    registry = opened(tmp_path)
    loaded = registry.load(registry.get("mail.reader"))
    assert loaded.manifest is registry.get("mail.reader")
    assert registry.load(registry.get("mail.reader")) is loaded


async def test_a_module_that_fails_names_the_line_and_is_tried_again(tmp_path: Path) -> None:
    source = simple_driver("mail.reader", "mail.*")
    write_driver(tmp_path, "mail", source)
    registry = opened(tmp_path)
    write_driver(tmp_path, "mail", source + "raise RuntimeError('no key')\n")
    with pytest.raises(DriverImportError) as caught:
        registry.load(registry.get("mail.reader"))
    assert str(caught.value) == (
        "drivers/mail/driver.py:5: the module cannot be imported: RuntimeError: no key. "
        "Correct the file; nothing but declarations belongs into driver.py"
    )
    write_driver(tmp_path, "mail", source)
    assert await answer(registry, "mail.reader") == "done"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        pytest.param("run = 3", "`run` is no driver there any more", id="gone"),
        pytest.param("async def run(event): ...", "`run` is no driver there any more", id="no-decorator"),
        pytest.param(simple_driver("mail.other", "mail.*"), "it now declares another id", id="id"),
        pytest.param(
            simple_driver("mail.reader", "**", options=", permissions=['emit:**'], timeout='1h'"),
            "it now declares another capabilities, permissions, timeout_s",
            id="wider",
        ),
    ],
)
def test_code_that_declares_something_else_than_the_index_is_not_run(tmp_path: Path, source: str, what: str) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    registry = opened(tmp_path)
    write_driver(tmp_path, "mail", source)
    with pytest.raises(StaleIndexError) as caught:
        registry.load(registry.get("mail.reader"))
    assert str(caught.value) == (
        "drivers/index.json: driver `mail.reader` in drivers/mail/driver.py is not as the index says: "
        f"{what}. Run: vextir build"
    )


async def test_a_line_that_moved_is_no_reason_not_to_run(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    registry = opened(tmp_path)
    write_driver(tmp_path, "mail", "# a new comment\n" + simple_driver("mail.reader", "mail.*"))
    assert await answer(registry, "mail.reader") == "done"


def test_manifests_alone_cannot_be_run() -> None:
    registry = Registry([manifest("mail.reader", "mail.*")])
    with pytest.raises(UnknownDriverError, match=r"driver `mail\.reader` has no code here"):
        registry.load(registry.get("mail.reader"))


async def test_a_class_is_loaded_at_its_first_event(tmp_path: Path) -> None:
    write_driver(
        tmp_path,
        "mail",
        """
        from vextir_os import IODriver

        @driver("mail.reader", capabilities=["mail.*"])
        class Reader(IODriver):
            async def start(self) -> None:
                self.answer = "read"

            async def handle(self, event: Event) -> str:
                return self.answer
        """,
    )
    registry = opened(tmp_path)
    assert registry.get("mail.reader").form == "class"
    assert registry.get("mail.reader").kind == "io"
    assert await answer(registry, "mail.reader") == "read"
