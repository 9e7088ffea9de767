"""Real input: every example of GitHub's webhooks comes out as one finished record, counted by a second program."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.drivers import write_driver
from tests.support.harness import an_os
from tests.support.webhooks import examples
from vextir_os.events.event import Event
from vextir_os.registry.index import build_index, write_index
from vextir_os.registry.registry import Registry

ROOT = Path(__file__).parents[2]
CAPABILITIES = 30

EXACT = """
    import json, pathlib

    @driver({driver!r}, capabilities={types!r})
    async def exact(event: Event, ctx: Context) -> dict:
        answer = {{"type": event.type, "payload": event.data, "keys": sorted(event.data)}}
        with open({journal!r}, "a", encoding="utf-8") as journal:
            journal.write(json.dumps([event.id, ctx.driver, answer]) + "\\n")
        return answer
"""
"""A driver that says in a file what it returned, so that somebody else can compare."""


def project(folder: Path, types: list[str], journal: Path) -> Registry:
    """Make a project of the stock GitHub drivers and of drivers for exactly these types; return its registry."""
    shutil.copytree(ROOT / "drivers" / "github", folder / "drivers" / "github")
    for start in range(0, len(types), CAPABILITIES):
        source = EXACT.format(driver=f"exact.n{start}", types=types[start : start + CAPABILITIES], journal=str(journal))
        write_driver(folder, f"exact{start}", source)
    write_index(folder, build_index(folder))
    return Registry.open(folder)


async def test_every_webhook_example_is_one_finished_record_with_what_the_drivers_returned(
    tmp_path: Path, atomic: bool
) -> None:
    payloads = {f"{number}-{name}": (f"github.{name}", data) for number, (name, data) in enumerate(examples())}
    assert len(payloads) == 329
    journal = tmp_path / "returned.jsonl"
    registry = project(tmp_path, sorted({type_ for type_, _ in payloads.values()}), journal)
    async with an_os(tmp_path, registry=registry, atomic=atomic) as os:
        await os.run(*(Event(id=event_id, type=type_, data=data) for event_id, (type_, data) in payloads.items()))
        await os.settled()
    found = count(tmp_path / "data" / "vextir.db")
    assert (found["messages"], found["dead_letters"]) == (0, {})
    returned = {
        (event_id, name): output for event_id, name, output in map(json.loads, journal.read_text().splitlines())
    }
    assert len(returned) == 329
    for event_id, (type_, data) in payloads.items():
        [record] = found["records"].pop(event_id)
        assert (record["type"], record["data"], record["finished"]) == (type_, data, True)
        [exact] = record["runs"].keys() - {"github.activity"}
        assert record["runs"][exact] == ["done", returned[event_id, exact]]
        assert returned[event_id, exact]["payload"] == data
        state, activity = record["runs"]["github.activity"]
        assert (state, activity["who"]) == ("done", (data.get("sender") or {}).get("login", "somebody"))
    # What is left was caused: an issue that was opened goes on to triage, and becomes a task.
    opened = [type_ for type_, data in payloads.values() if type_ == "github.issues" and data["action"] == "opened"]
    caused = [record["type"] for [record] in found["records"].values()]
    assert sorted(caused) == ["github.issue.triage"] * len(opened) + ["task.created"] * len(opened)


def count(database: Path) -> Any:
    """Let the second program read the file."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "count.py"), str(database)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
