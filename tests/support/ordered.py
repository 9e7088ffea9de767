"""Short words for tests of ordered keys: steps of a key, a driver that takes them, the order of what took effect."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from tests.support.harness import Harness
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import OnPoison
from vextir_os.events.event import Event
from vextir_os.events.ids import key_id
from vextir_os.runs.ordering import KeyDoc
from vextir_os.runs.record import STATE

KEY = "acct-7"


def step(n: int, key: str = KEY, **attributes: Any) -> Event:
    """Return the event `e-<n>` of a key, sent as ordered."""
    given = {"id": f"e-{n}", "type": "step.taken", "data": {"n": n}, **attributes}
    return Event(partitionkey=key, ordered=True, **given)


def taker(
    failing: Mapping[int, int] | None = None, dead: frozenset[int] = frozenset(), on_poison: OnPoison = "skip"
) -> Callable[..., Any]:
    """Return a driver that answers each step with an event of it.

    Args:
        failing: How many attempts fail first, by step.
        dead: Steps that fail for good.
        on_poison: What that does to their key.
    """
    failures = failing or {}

    @driver("take", capabilities=["step.taken"], permissions=["emit:step.done"], on_poison=on_poison)
    async def take(event: Event, ctx: Context) -> Event:
        n = event.data["n"]
        if n in dead and ctx.rerun == 0:
            raise InvalidError(f"step {n} is wrong")
        if ctx.attempt <= failures.get(n, 0):
            raise TransientError(f"step {n} has to wait")
        return Event(type="step.done", data={"n": n, "key": event.partitionkey})

    return take


async def effects(os: Harness, key: str = KEY) -> list[int]:
    """Return the steps of a key that took effect, in the order of their commits: give the OS a `TickingClock`.

    Each has published its one event, and no other has.
    """
    steps = [record for record in await os.records("step.taken") if record["event"].get("partitionkey", "") == key]
    done = [record for record in steps if record["runs"]["take"]["state"] == "done"]
    emitted = [record["event"]["data"] for record in await os.records("step.done")]
    taken = [record["event"]["data"]["n"] for record in done]
    assert sorted(data["n"] for data in emitted if data["key"] == key) == sorted(taken)
    return [record["event"]["data"]["n"] for record in sorted(done, key=lambda record: record["runs"]["take"]["ended"])]


async def states(os: Harness) -> dict[str, str]:
    """Return the state of each step's run."""
    return {record["event_id"]: record["runs"]["take"]["state"] for record in await os.records("step.taken")}


async def key_of(os: Harness, name: str = KEY) -> KeyDoc:
    """Return the document of a key."""
    key = key_id("local", name)
    return cast(KeyDoc, (await os.kernel.store.read(STATE, key, key)).document)


async def entries_made(os: Harness, first: str) -> int:
    """Return how often an event has entered the list of its key, since the one that was the first to be at its head."""
    ticket: int = (await os.record(first))["key"]["n"]
    return (await key_of(os))["head"] - ticket


async def check_at_rest(os: Harness, *keys: str) -> None:
    """Check that nobody is in line any more, no entry is left, and no message."""
    for record in await os.records():
        assert record["outbox"] == []
        assert "due" not in record
    for key in keys or (KEY,):
        assert (await key_of(os, key))["list"] == []
    assert await os.left() == []
