"""The guides to drivers, policies and settings say what the code has: options, verbs, names, defaults."""

import inspect
import re
from pathlib import Path

from tests.docs.pages import ROOT
from vextir_os import driver
from vextir_os.cli.doctor.checks import CHECKS
from vextir_os.policy.grammar import VERBS
from vextir_os.policy.loader import load_policies
from vextir_os.registry.discover import discover
from vextir_os.registry.forms.agent_model import AgentPart
from vextir_os.registry.forms.yaml_driver_model import DriverPart

GUIDES = ROOT / "docs" / "guides"


def guide(name: str) -> str:
    return (GUIDES / name).read_text(encoding="utf-8")


def rows(page: str, head: str) -> dict[str, str]:
    """Return the first two cells of each row of the table with this first column."""
    table = page.partition(f"\n| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in table]
    return {row[0]: row[1] for row in cells}


def test_every_option_of_a_driver_stands_in_the_guide_with_its_default() -> None:
    shown = rows(guide("drivers.md"), "option")
    parameters = inspect.signature(driver).parameters
    assert set(shown) == set(parameters) - {"unknown"}
    defaults = {name: text.replace('"', "'") for name, text in shown.items() if text and name != "retry"}
    assert defaults == {name: repr(parameters[name].default) for name in defaults}


def test_the_declared_agents_of_the_guide_load(tmp_path: Path) -> None:
    page = guide("forms.md")
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers/mail.yml").write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    written = page.partition("```markdown\n")[2].partition("```")[0]
    (tmp_path / "triage.agent.md").write_text(written, encoding="utf-8")
    email, triage = discover(tmp_path)
    assert email.agent is not None
    assert triage.agent is not None
    assert (email.agent.tools, email.timeout_s) == (("email_send", "calendar/read"), 900.0)
    assert triage.capabilities == ("agent.triage", "agent.triage.service_bus_queue")


def test_every_key_of_a_declared_agent_stands_in_the_guide() -> None:
    page = guide("forms.md")
    keys = {name.strip("`") for row in rows(page, "key") for name in row.split(", ")}
    assert keys == set(DriverPart.model_fields)
    told = set(re.findall(r"`([a-z_]+)`", page.partition("Keys are ")[2].partition("Beside the agents")[0]))
    assert told == set(AgentPart.model_fields)


def test_every_check_of_the_doctor_stands_in_its_guide() -> None:
    assert list(rows(guide("doctor.md"), "check")) == [name for name, _ in CHECKS]


def test_the_policies_of_the_guide_load(tmp_path: Path) -> None:
    written = guide("policies.md").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "guide.yaml").write_text(written, encoding="utf-8")
    assert [policy.id for policy in load_policies(tmp_path).policies] == ["orders", "no-refunds-from-outside"]


def test_the_guide_to_policies_names_every_verb() -> None:
    part = guide("policies.md").partition("## Actions")[2]
    asked = set(rows(part, "verb"))
    later = part.partition("nothing asks for them today:")[2].partition("\n\n")[0]
    assert asked | set(re.findall(r"`([a-z.]+)`", later)) == set(VERBS)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "vextir_os" / "processor").glob("*.py"))
    assert asked == {verb for verb in VERBS if f'"{verb}"' in code}
