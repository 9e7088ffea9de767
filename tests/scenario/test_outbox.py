"""Between commit and publish, where store and queue share no transaction: what the record still has to do."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.gate import Gate, begun, gated
from tests.support.harness import an_os, until
from vextir_os.driverkit.decorator import driver
from vextir_os.events.event import Event


async def test_what_a_crash_left_in_the_outbox_is_published_by_whoever_looks(tmp_path: Path) -> None:
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(tmp_path, gated(gate), atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("send", "crash before")
        async with begun(os, gate):
            gate.open(1)
        record = await os.record("e-1")
        assert (record["runs"]["slow"]["state"], len(record["outbox"])) == ("done", 1)
        assert record["due"] == clock.time() + 15
        assert await os.records("job.done") == []
        await os.recover(clock)
        record = await os.record("e-1")
        assert (record["outbox"], "due" in record) == ([], False)
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"call": 1}]
        assert gate.began == 1


async def test_an_emitted_event_takes_effect_once(tmp_path: Path) -> None:
    gate, clock, faults, seen = Gate(), FakeClock(), Faults(), []

    @driver("count", capabilities=["job.done"])
    async def count(event: Event) -> None:
        seen.append(event.id)

    async with an_os(tmp_path, gated(gate), count, atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("send", "lost", "lost")
        async with begun(os, gate):
            gate.open(1)
        assert len(await os.left()) == 2
        await os.recover(clock)
        assert len(seen) == 1
        assert len(await os.records("job.done")) == 1


async def test_what_is_published_is_what_was_committed(tmp_path: Path) -> None:
    """The worker that commits dies; another one, with another driver version, publishes."""
    clock, faults = FakeClock(), Faults()

    def version(text: str) -> Callable[..., Awaitable[Any]]:
        @driver("tell", capabilities=["job.sent"], permissions=["emit:job.done"])
        async def tell(event: Event) -> Event:
            return Event(type="job.done", data={"by": text}, priority=7, subject="näme", labels=("pii",))

        return tell

    async with an_os(tmp_path, version("old"), atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("send", "crash before")
        await os.work()
        [entry] = (await os.record("e-1"))["outbox"]
    async with an_os(tmp_path, version("new"), atomic=False, clock=clock, working=False) as os:
        await os.recover(clock)
        [child] = await os.records("job.done")
        assert child["event"] == entry["event"]
        assert child["event"]["data"] == {"by": "old"}
        assert await os.dead_letters("message") == []


async def test_only_sent_entries_leave_the_outbox(tmp_path: Path) -> None:
    one, two, clock, faults = Gate(), Gate(), FakeClock(), Faults()
    first, second = gated(one, "one"), gated(two, "two")
    async with an_os(tmp_path, first, second, atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("send", "crash before")

        async def one_is_committed() -> bool:
            return bool((await os.record("e-1"))["outbox"])

        async with begun(os, one) as worker:
            await two.entered(1)
            one.open(1)
            await until(one_is_committed)
            two.open(1)
            await worker
        assert [entry["run"] for entry in (await os.record("e-1"))["outbox"]] == ["one"]
        await os.recover(clock)
        assert {child["event"]["source"] for child in await os.records("job.done")} == {"/drivers/one", "/drivers/two"}
