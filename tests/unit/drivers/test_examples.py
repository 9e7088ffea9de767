"""The example events in `examples/events`: each is handled, and what follows from it is handled as well."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stock import REGISTRY, ROOT, run
from vextir_os import Event
from vextir_os.events.jsonio import loads_strict

EXAMPLES = sorted((ROOT / "examples" / "events").glob("*.json"))
ENDS = {"research.completed"}
"""Types that are for whoever builds on the stock drivers."""


async def chain(event: Event) -> AsyncIterator[tuple[str, str]]:
    """Yield type and driver of every run that follows from an event."""
    for manifest in REGISTRY.route(event.type):
        yield event.type, manifest.id
        for emitted in (await run(manifest.id, event.type, event.data)).events:
            async for step in chain(emitted):
                yield step
    assert REGISTRY.route(event.type) or event.type in ENDS


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_no_id_so_that_each_run_is_new(path: object) -> None:
    assert "id" not in loads_strict((ROOT / str(path)).read_bytes())


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        (
            "github-issue",
            [
                ("github.issues", "github.activity"),
                ("github.issue.triage", "github.triage"),
                ("task.created", "tasks.desk"),
            ],
        ),
        ("mail", [("email.received", "mail.sorter"), ("research.request", "research.planner")]),
        ("research", [("research.request", "research.planner")]),
    ],
)
async def test_an_example_goes_its_way(name: str, steps: list[tuple[str, str]]) -> None:
    event = Event(**loads_strict((ROOT / "examples" / "events" / f"{name}.json").read_bytes()))
    assert [step async for step in chain(event)] == steps


def test_there_is_a_way_for_each_example() -> None:
    assert [path.stem for path in EXAMPLES] == ["github-issue", "mail", "research"]
