"""New drivers: each kind is a driver as it stands, with the policy that it needs, in the style of the project."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.docs.pages import ROOT
from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import PatternError, UsageError
from vextir_os.policy.loader import load_policies
from vextir_os.registry.index import build_index
from vextir_os.scaffold.driver import driver_files, sample_type
from vextir_os.scaffold.writing import write_new

KINDS = get_args(DriverKind)
LONG = "customer_relations.*.handed-over-again"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_driver_is_of_its_kind_and_handles_what_it_was_told(tmp_path: Path, kind: str) -> None:
    write_new(tmp_path, driver_files("desk", kind, "shop.*.placed"))
    (manifest,) = build_index(tmp_path).manifests
    assert (manifest.id, manifest.kind, manifest.capabilities) == ("desk", kind, ("shop.*.placed",))
    policies = load_policies(tmp_path / "policies").policies
    assert all(policy.effect == "allow" for policy in policies)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_driver_needs_no_formatting_and_breaks_no_rule(tmp_path: Path, kind: str) -> None:
    write_new(tmp_path, driver_files("customer_relations", kind, LONG))
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    config = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    for words in (["check", *config, "drivers"], ["format", "--check", *config, "."]):
        done = subprocess.run([*ruff, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_no_mark_is_left_in_a_driver(kind: str) -> None:
    files = driver_files("desk", kind)
    assert {"drivers/desk/driver.py", "drivers/desk/README.md", "policies/desk.yaml", "tests/test_desk.py"} <= set(
        files
    )
    assert [path for path, content in files.items() if b"<<" in content] == []


def test_the_type_of_the_example_is_one_that_the_pattern_matches() -> None:
    assert sample_type("mail.*.again") == "mail.sample.again"
    assert sample_type("**") == "sample"


@pytest.mark.parametrize(
    ("name", "kind", "capability", "message"),
    [
        pytest.param("desk", "agnet", "", "there is no kind of driver `agnet`. Did you mean `agent`?", id="kind"),
        pytest.param("desk", "x\ny", "", r"there is no kind of driver `x\ny`. It is one of agent, tool,", id="kind-2"),
        pytest.param("desk", "tool", "vextir.error", "events `vextir.error` are the OS's own", id="reserved"),
        pytest.param('d"]', "tool", "", '`d"]` is no name for a driver. Did you mean `d`?', id="name"),
    ],
)
def test_a_driver_that_cannot_be_made_says_why(name: str, kind: str, capability: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        driver_files(name, kind, capability)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("capability", ['a"], permissions=["**', "a\nb", "A.b", "a..b", "a." * 100])
def test_a_capability_that_is_no_pattern_is_refused(capability: str) -> None:
    with pytest.raises(PatternError, match="pattern"):
        driver_files("desk", "tool", capability)
