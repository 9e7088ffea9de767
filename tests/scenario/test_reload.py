"""Exchanging drivers of a running OS: runs at work end on the old code, instances are stopped when their last ended."""

import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.drivers import write_driver
from tests.support.harness import ALLOW_ALL, Harness, an_os, until
from vextir_os import Event
from vextir_os.errors import ActionError, ManifestProblemsError
from vextir_os.local.changes import matters, matters_beside
from vextir_os.local.reload import Reload
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.index import build_index
from vextir_os.registry.manifest_json import Index
from vextir_os.registry.modules import forget_modules, package_name
from vextir_os.registry.registry import Registry

BUNDLE = Bundle(policies=ALLOW_ALL)


def write(root: Path, answer: str, said: Path, *, waits: bool = False) -> Index:
    """Write a class driver, as a project has it, and return the index."""
    write_driver(
        root,
        "mail",
        f"""
        import asyncio
        from pathlib import Path

        def say(text):
            with Path({str(said)!r}).open("a") as file:
                file.write(text + "\\n")

        @driver("mail.reader", capabilities=["mail.received"])
        class Reader:
            async def start(self):
                say("start {answer}")

            async def handle(self, event: Event) -> str:
                say("handle {answer}")
                while {waits} and not Path({str(said)!r} + ".go").exists():
                    await asyncio.sleep(0.01)
                return {answer!r}

            async def stop(self):
                say("stop {answer}")
        """,
    )
    write_driver(root, "other", '@driver("mail.other", capabilities=["other.*"])\nasync def run(event: Event): ...\n')
    # As in a process of its own: what this one has imported stays as it was.
    before = {name: module for name, module in sys.modules.items() if name.startswith(package_name(root))}
    index = build_index(root)
    forget_modules(root)
    sys.modules.update(before)
    return index


def told(said: Path) -> list[str]:
    return said.read_text(encoding="utf-8").splitlines() if said.exists() else []


def let_go(said: Path) -> None:
    """Let what waits go on."""
    Path(f"{said}.go").touch()


async def lines_of(said: Path, count: int) -> list[str]:
    async def there() -> bool:
        return len(told(said)) >= count

    await until(there)
    return told(said)


def output(record: Any) -> str:
    return str(record["runs"]["mail.reader"]["output"])


async def test_a_run_at_work_ends_on_the_old_code_and_the_next_begins_on_the_new(tmp_path: Path, atomic: bool) -> None:
    said = tmp_path / "said"
    index = write(tmp_path, "old", said, waits=True)
    registry = Registry(index.manifests, root=tmp_path)
    async with an_os(tmp_path, registry=registry, atomic=atomic) as os:
        reload = Reload(os.kernel, index)
        os.watch.expect("e-1", "e-2")
        await os.publish(Event(id="e-1", type="mail.received"))
        assert await lines_of(said, 2) == ["start old", "handle old"]
        assert reload.exchange(write(tmp_path, "new", said), BUNDLE) == ["drivers/mail"]
        await os.publish(Event(id="e-2", type="mail.received"))
        assert await lines_of(said, 4) == ["start old", "handle old", "start new", "handle new"]
        let_go(said)
        await os.watch.idle()
        assert (output(await os.record("e-1")), output(await os.record("e-2"))) == ("old", "new")
        assert (await lines_of(said, 5))[4:] == ["stop old"]
        await reload.close()
    assert (await lines_of(said, 6))[5:] == ["stop new"]


async def test_what_has_not_changed_keeps_its_instance(tmp_path: Path) -> None:
    said = tmp_path / "said"
    index = write(tmp_path, "same", said)
    async with an_os(tmp_path, registry=Registry(index.manifests, root=tmp_path)) as os:
        reload = Reload(os.kernel, index)
        await os.event("mail.received", event_id="e-1")
        write_driver(tmp_path, "third", '@driver("third", capabilities=["third"])\nasync def run(event: Event): ...\n')
        assert reload.exchange(build_index(tmp_path), BUNDLE) == ["drivers/third"]
        await os.event("mail.received", event_id="e-2")
        assert await lines_of(said, 3) == ["start same", "handle same", "handle same"]
        await reload.close()


async def test_what_waits_to_be_stopped_is_stopped_at_the_end(tmp_path: Path) -> None:
    said = tmp_path / "said"
    index = write(tmp_path, "old", said, waits=True)
    async with an_os(tmp_path, registry=Registry(index.manifests, root=tmp_path), working=False) as os:
        reload = Reload(os.kernel, index)
        await os.publish(Event(id="e-1", type="mail.received"))
        working = asyncio.create_task(os.work())
        await lines_of(said, 2)
        reload.exchange(write(tmp_path, "new", said), BUNDLE)
        await reload.close()
        assert await lines_of(said, 3) == ["start old", "handle old", "stop old"]
        let_go(said)
        await working


async def test_drivers_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    index = write(tmp_path, "old", tmp_path / "said")
    async with an_os(tmp_path, registry=Registry(index.manifests, root=tmp_path)) as os:
        twins = [dataclasses.replace(each) for each in index.manifests]
        twice = Index(manifests=(*index.manifests, *twins), sources={"drivers/mail": "sha256:other"})
        with pytest.raises(ManifestProblemsError, match="declared twice"):
            Reload(os.kernel, index).exchange(twice, BUNDLE)
        assert output(await os.event("mail.received")) == "old"


async def test_policies_that_cannot_be_used_change_no_driver(tmp_path: Path) -> None:
    index = write(tmp_path, "old", tmp_path / "said")
    async with an_os(tmp_path, registry=Registry(index.manifests, root=tmp_path)) as os:
        wrong = Policy(id="wrong", effect="allow", match=Match(action=("publsh:**",)))
        with pytest.raises(ActionError, match="publsh"):
            Reload(os.kernel, index).exchange(Index(), Bundle(policies=(wrong,)))
        assert output(await os.event("mail.received")) == "old"


async def test_a_driver_that_is_gone_leaves_its_events_unrouted(tmp_path: Path) -> None:
    index = write(tmp_path, "old", tmp_path / "said")
    async with an_os(tmp_path, registry=Registry(index.manifests, root=tmp_path)) as os:
        Reload(os.kernel, index).exchange(Index(), BUNDLE)
        assert await routed(os) == {}


async def routed(os: Harness) -> Any:
    return (await os.event("mail.received"))["runs"]


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("drivers/mail/driver.py", True),
        ("policies/mail.yaml", True),
        ("drivers/mail", True),
        ("agents/triage.agent.md", True),
        ("drivers/index.json", False),
        ("drivers/.index.json.77", False),
        ("drivers/mail/__pycache__/driver.cpython-311.pyc", False),
        ("drivers/mail/.driver.py.swp", False),
        ("drivers/mail/driver.py~", False),
    ],
)
def test_only_files_that_may_mean_something_are_looked_at(path: str, counts: bool) -> None:
    assert matters(path, own=False) is counts


def test_a_process_that_builds_no_index_looks_at_the_one_that_another_built() -> None:
    assert matters("drivers/index.json", own=True)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/shop/triage.agent.md", True),
        ("/shop/CLAUDE.md", True),
        ("/shop/agents.config.yaml", True),
        ("/shop/mcp.json", True),
        ("/shop/agents", True),
        ("/shop/drivers", True),
        ("/shop/dev.txt", False),
        ("/shop/events.json", False),
        ("/shop/nohup", False),
    ],
)
def test_of_the_projects_own_folder_only_agents_count_and_no_log_that_somebody_writes_there(
    path: str, counts: bool
) -> None:
    assert matters_beside(path) is counts
