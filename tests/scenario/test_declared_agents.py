"""Declared agents have a place in routing and none that runs them yet: what comes to them is kept, and says why."""

from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import ANN, Harness, an_os
from vextir_os.events.event import Event
from vextir_os.registry.index import build_index, load_index, write_index
from vextir_os.registry.registry import Registry

AGENT = """\
---
name: Helper
description: Answers questions
builtin_endpoints: true
---
Be brief.
"""
YAML = """\
driver:
  id: email_assistant
  type: agent
  model: gpt-4
  tools: [email_send, calendar/read]
  system_prompt: You handle mail.
  capabilities: [email.received]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with an agent in markdown and one in YAML."""
    (tmp_path / "drivers").mkdir()
    (tmp_path / "helper.agent.md").write_text(AGENT)
    (tmp_path / "drivers/mail.yml").write_text(YAML)
    write_index(tmp_path, build_index(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("type_", "driver", "file"),
    [
        pytest.param("agent.helper", "helper", "helper.agent.md", id="markdown"),
        pytest.param("email.received", "email_assistant", "drivers/mail.yml", id="yaml"),
    ],
)
async def test_what_comes_to_a_declared_agent_is_a_dead_letter_that_says_why(
    root: Path, atomic: bool, type_: str, driver: str, file: str
) -> None:
    registry = Registry(load_index(root).manifests, root=root)
    async with an_os(root, registry=registry, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.publish(Event(id="e-1", type=type_, data={"prompt": "hello"}))
        await os.work()
        record = await os.record("e-1")
        run = record["runs"][driver]
        assert (run["state"], run["attempt"]) == ("dead", 1)
        assert (run["error"]["code"], run["error"]["kind"]) == ("VX420", "invalid")
        assert run["error"]["message"] == (
            f"{file}: `{driver}` is a declared agent, and this version runs no declared agents. "
            "The event is kept: once agents can be run, `vextir dead replay` runs it"
        )
        assert [letter["driver"] for letter in await os.dead_letters("run")] == [driver]


async def test_it_can_be_replayed(root: Path, atomic: bool) -> None:
    registry = Registry(load_index(root).manifests, root=root)
    async with an_os(root, registry=registry, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.publish(Event(id="e-1", type="agent.helper"))
        await os.work()
        await replay(os)
        await os.work()
        run = (await os.record("e-1"))["runs"]["helper"]
        assert (run["state"], run["rerun"], run["error"]["code"]) == ("dead", 1, "VX420")


async def replay(os: Harness) -> None:
    (letter,) = await os.dead_letters("run")
    await os.kernel.dead_letters.replay(letter["id"], ANN)
