"""What a process may touch: its driver's folder and Python; of the project and the data of the OS nothing else."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import vextir_os
from vextir_os.driverkit.manifest import Manifest
from vextir_os.isolation.audit import rules
from vextir_os.isolation.reach import Reach, reach_of

MANIFEST = Manifest(
    id="mail", kind="tool", capabilities=("a.b",), isolation="process", module="mail.driver", origin="project"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project with its data elsewhere, two drivers and a folder for the process."""
    for name in ("shop/drivers/mail", "shop/drivers/other", "shop/.vextir", "lib", "lib/data", "own"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def of(place: Path, *paths: str, manifest: Manifest = MANIFEST) -> Reach:
    return reach_of(
        manifest, place / "shop", place / "own", [str(place / path) for path in paths], [place / "lib/data"]
    )


def test_of_the_project_only_the_drivers_own_folder_is_read(place: Path) -> None:
    reach = of(place, "shop", ".")
    inside = [path for path in reach.reads if path.startswith(str(place))]
    assert inside == [f"{place}/shop/drivers/mail"]
    assert reach.lists == (f"{place}/shop/drivers", f"{place}/shop", str(place))


def test_a_path_of_modules_that_holds_the_data_is_listed_and_not_read(place: Path) -> None:
    reach = of(place, "lib")
    assert f"{place}/lib" in reach.lists
    assert f"{place}/lib" not in reach.reads


def test_other_paths_of_modules_python_and_the_os_itself_are_read(place: Path) -> None:
    (place / "more").mkdir()
    reads = of(place, "more").reads
    assert {str(place / "more"), str(Path(vextir_os.__file__).parent), str(Path(sys.prefix).resolve())} <= set(reads)


def test_only_its_own_folder_is_written(place: Path) -> None:
    assert of(place).writes == (str(place / "own"), "/dev/null")


def test_programs_are_within_reach_of_who_may_start_some(place: Path) -> None:
    assert "/usr/bin" not in of(place).runs
    assert "/usr/bin" in of(place, manifest=replace(MANIFEST, processes=1)).runs


def test_a_process_that_may_start_others_is_not_refused_to() -> None:
    reach = Reach(reads=(), lists=(), writes=(), runs=())
    assert asdict(reach) == {"reads": (), "lists": (), "writes": (), "runs": ()}
    rules("mail", reach, 1)["os.fork"](())
    with pytest.raises(PermissionError, match='driver mail may not start a process under isolation "process"'):
        rules("mail", reach, 0)["os.fork"](())
