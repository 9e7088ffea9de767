"""Packs: found without being imported, used where they are named, and never in the place of something else."""

import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from tests.support.packs import ACME, install
from vextir_os.errors import ManifestProblemsError, PackError, StaleIndexError
from vextir_os.registry.discover import discover
from vextir_os.registry.index import build_index, check_fresh, load_index, write_index
from vextir_os.registry.packs import Pack, homes_of, installed_packs, normalised
from vextir_os.registry.registry import Registry


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, such as site-packages is."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("acme")]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one driver of its own."""
    root = tmp_path / "project"
    write_driver(root, "chat", simple_driver("chat.reader", "chat.*"))
    return root


def packs_in(site: Path) -> list[Pack]:
    return installed_packs(lambda: distributions(path=[str(site)]))


def test_a_pack_is_found_and_not_imported(site: Path) -> None:
    install(site, {**ACME, "acme_drivers/__init__.py": "raise SystemExit"})
    (pack,) = packs_in(site)
    assert (pack.name, pack.version, pack.package, pack.folder) == (
        "acme-drivers",
        "1.2.0",
        "acme_drivers",
        site / "acme_drivers",
    )
    assert "acme_drivers" not in sys.modules


def test_a_pack_that_is_not_named_has_no_driver_here(site: Path, root: Path) -> None:
    install(site)
    assert [manifest.id for manifest in discover(root, packs=homes_of(()))] == ["chat.reader"]


def test_the_drivers_of_a_named_pack_join_in_every_form(site: Path, root: Path) -> None:
    install(site)
    found = {manifest.id: manifest for manifest in discover(root, packs=homes_of(["acme_drivers"]))}
    assert {id_: (one.form, one.origin) for id_, one in found.items()} == {
        "acme.desk": ("yaml", "pack:acme-drivers 1.2.0"),
        "acme.mail": ("function", "pack:acme-drivers 1.2.0"),
        "chat.reader": ("function", "project"),
        "helper": ("agent_md", "pack:acme-drivers 1.2.0"),
    }
    mail = found["acme.mail"]
    assert (mail.module, mail.entry, mail.line) == (
        "acme_drivers.mail.driver",
        "acme_drivers/mail/driver.py:run",
        3,
    )
    assert found["acme.desk"].entry == "acme_drivers/desk.yml:acme.desk"
    assert found["helper"].entry == "acme_drivers/agents/helper.agent.md:helper"


def test_the_index_holds_a_pack_and_its_driver_runs_from_it(site: Path, root: Path) -> None:
    install(site)
    homes = homes_of(["acme-drivers"])
    write_index(root, build_index(root, packs=homes))
    assert load_index(root) == build_index(root, packs=homes)
    assert check_fresh(root, load_index(root), homes) == []
    for name in [name for name in sys.modules if name.startswith("acme_drivers")]:
        del sys.modules[name]
    registry = Registry.open(root, ["Acme.Drivers"])
    assert "acme_drivers" not in sys.modules
    assert registry.load(registry.get("acme.mail")).manifest.origin == "pack:acme-drivers 1.2.0"
    assert sys.modules["acme_drivers.mail.words"].ANSWER == "done"


def test_an_agent_of_a_pack_gets_nothing_of_the_environment(site: Path, root: Path) -> None:
    text = ACME["acme_drivers/agents/helper.agent.md"].replace("name:", "timeout: $SECONDS\nname:")
    install(site, {**ACME, "acme_drivers/agents/helper.agent.md": text})
    with pytest.raises(ManifestProblemsError) as caught:
        discover(root, packs=homes_of(["acme-drivers"]), environ={"SECONDS": "30", "USER": "ann"})
    assert [str(problem) for problem in caught.value.problems] == [
        "acme_drivers/agents/helper.agent.md:2:10: `timeout` is text, not a number"
    ]


def test_no_text_of_a_pack_is_filled_from_the_environment(site: Path, root: Path) -> None:
    install(site)
    found = discover(root, packs=homes_of(["acme-drivers"]), environ={"USER": "ann"})
    assert [one.agent.substitutes for one in found if one.agent is not None] == [False, False]


def test_an_index_with_a_pack_that_is_not_named_any_more_is_refused(site: Path, root: Path) -> None:
    install(site)
    write_index(root, build_index(root, packs=homes_of(["acme-drivers"])))
    with pytest.raises(StaleIndexError) as caught:
        Registry.open(root)
    assert str(caught.value) == (
        "drivers/index.json: the driver index holds the pack `acme-drivers 1.2.0`, which VEXTIR_PACKS does not name. "
        "Name it there, or build the index without it. Run: vextir build"
    )


def test_a_pack_of_another_version_or_with_other_files_makes_the_index_stale(site: Path, root: Path) -> None:
    install(site)
    write_index(root, build_index(root, packs=homes_of(["acme-drivers"])))
    (site / "acme_drivers/helpers/tools.py").write_text("x = 2\n")
    (changed,) = check_fresh(root, load_index(root), homes_of(["acme-drivers"]))
    assert changed.what == "pack:acme-drivers 1.2.0 was changed since the driver index was built"
    (site / "Acme.Drivers-1.2.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 2\n")
    stale = check_fresh(root, load_index(root), [pack.home for pack in packs_in(site)])
    assert [problem.what for problem in stale] == [
        "pack:acme 2 was added since the driver index was built",
        "pack:acme-drivers 1.2.0 was removed since the driver index was built",
    ]


def test_an_id_of_pack_and_project_is_an_error_that_names_both(site: Path, root: Path) -> None:
    install(site)
    write_driver(root, "mail", simple_driver("acme.mail", "mail.*"))
    with pytest.raises(ManifestProblemsError) as caught:
        discover(root, packs=homes_of(["acme-drivers"]))
    (problem,) = map(str, caught.value.problems)
    assert problem == (
        "acme_drivers/mail/driver.py:3: driver id `acme.mail` is declared twice, here and at "
        "drivers/mail/driver.py:2, here by pack:acme-drivers 1.2.0, there by project. Give each driver an id of its own"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "acme-drivrs",
            "VEXTIR_PACKS: there is no pack `acme-drivrs` among what is installed. Did you mean `acme-drivers`?",
            id="slip",
        ),
        pytest.param(
            "other",
            "VEXTIR_PACKS: there is no pack `other` among what is installed. Run: vextir drivers packs",
            id="other",
        ),
    ],
)
def test_a_pack_that_is_not_installed_is_an_error_with_the_nearest_name(site: Path, name: str, message: str) -> None:
    install(site)
    with pytest.raises(PackError) as caught:
        homes_of([name], lambda: packs_in(site))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param("acme_gone", "the package `acme_gone` is not there", id="gone"),
        pytest.param("acme drivers", "its entry point `acme drivers` names no package", id="no-name"),
        pytest.param("acme_drivers:run", "its entry point `acme_drivers:run` names no package", id="function"),
        pytest.param("acme_drivers.none", "the package `acme_drivers.none` is not there", id="inner"),
        pytest.param("../acme", "its entry point `../acme` names no package", id="path"),
        pytest.param("sys", "the package `sys` is not there", id="built-in"),
    ],
)
def test_an_entry_point_that_leads_nowhere_says_so(site: Path, value: str, problem: str) -> None:
    install(site, points={"x": value})
    (pack,) = packs_in(site)
    assert (pack.folder, pack.problem) == (None, problem)
    with pytest.raises(PackError, match="Install it anew, or leave it out"):
        _ = pack.home


def test_a_package_that_another_one_hides_is_not_taken_for_the_packs(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site)
    (tmp_path / "front/acme_drivers").mkdir(parents=True)
    (tmp_path / "front/acme_drivers/__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "front"))
    (pack,) = packs_in(site)
    assert pack.problem == (
        f"the package `acme_drivers` at {tmp_path / 'front/acme_drivers'} is not the one that it brought, "
        f"{site / 'acme_drivers'}"
    )


def test_a_pack_may_lie_inside_a_package_and_have_several(site: Path) -> None:
    install(
        site,
        {"acme/__init__.py": "raise SystemExit", "acme/drivers/__init__.py": "", "acme/more/__init__.py": ""},
        points={"one": "acme.drivers", "two": "acme.more"},
    )
    assert [pack.folder for pack in packs_in(site)] == [site / "acme/drivers", site / "acme/more"]


def test_a_broken_driver_of_a_pack_names_pack_and_file(site: Path, root: Path) -> None:
    install(site, {**ACME, "acme_drivers/mail/driver.py": "raise ValueError('no licence')\n"})
    with pytest.raises(ManifestProblemsError) as caught:
        discover(root, packs=homes_of(["acme-drivers"]))
    (problem,) = map(str, caught.value.problems)
    assert problem == (
        "acme_drivers/mail/driver.py: the module of pack:acme-drivers 1.2.0 cannot be imported: ValueError: no "
        "licence. Install the pack anew, or leave it out of VEXTIR_PACKS"
    )


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("entry_points.txt", b"[vextir.drivers]\nno value\n", id="no-value"),
        pytest.param("entry_points.txt", b"[vextir.drivers\n\xff", id="no-text"),
        pytest.param("METADATA", b"\xff\xfe", id="metadata"),
        pytest.param("METADATA", b"", id="no-name"),
    ],
)
def test_a_damaged_distribution_is_no_pack_and_hides_no_other(site: Path, file: str, content: bytes) -> None:
    install(site, {"acme_other/__init__.py": ""}, name="acme-other", points={"other": "acme_other"})
    install(site)
    (site / "Acme.Drivers-1.2.0.dist-info" / file).write_bytes(content)
    assert [pack.name for pack in packs_in(site)] == ["acme-other"]


@pytest.mark.parametrize("name", ["Acme.Drivers", "acme_drivers", " ACME--drivers "])
def test_a_name_has_one_spelling(name: str) -> None:
    assert normalised(name) == "acme-drivers"
