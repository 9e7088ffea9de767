"""Drivers that are classes: one instance in a process, started at the first event, stopped with the OS."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.gate import Gate
from tests.support.harness import an_os
from vextir_os import Context, Event, InvalidError, IODriver, Result, ThrottledError, driver
from vextir_os.registry.registry import Registry


class Told:
    """What an instance of a test's class tells; one for each test."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gate = Gate()
        self.fails: list[BaseException] = []


def reader(told: Told, **options: Any) -> type:
    """Return a driver class that notes what is done with it."""

    @driver("mail.reader", capabilities=["mail.received"], **options)
    class Reader(IODriver):
        def __init__(self) -> None:
            told.said.append("made")

        async def start(self) -> None:
            told.said.append("start")
            if told.fails:
                raise told.fails.pop(0)

        async def handle(self, event: Event, ctx: Context) -> str:
            told.said.append(f"{event.id}.{ctx.attempt}")
            return f"{event.id} was read"

        async def stop(self) -> None:
            told.said.append("stop")

    return Reader


async def test_an_instance_is_started_before_the_first_event_and_stopped_with_the_os(
    tmp_path: Path, atomic: bool
) -> None:
    told = Told()
    async with an_os(tmp_path, reader(told), atomic=atomic) as os:
        assert told.said == []
        [first, _] = await os.run(Event(id="e-1", type="mail.received"), Event(id="e-2", type="mail.received"))
        assert first["runs"]["mail.reader"]["output"] == "e-1 was read"
        assert told.said[:2] == ["made", "start"]
        assert sorted(told.said[2:]) == ["e-1.1", "e-2.1"]
    assert told.said[-1] == "stop"
    assert told.said.count("stop") == told.said.count("made") == 1


async def test_a_hundred_events_that_come_together_start_one_instance(tmp_path: Path, atomic: bool) -> None:
    told, made = Told(), list[int]()

    @driver("mail.reader", capabilities=["mail.received"])
    class Reader:
        async def start(self) -> None:
            made.append(1)
            await asyncio.sleep(0.01)
            told.said.append("started")

        async def handle(self, event: Event) -> str:
            return told.said[0]

    async with an_os(tmp_path, Reader, atomic=atomic) as os:
        records = await os.run(*(Event(id=f"e-{number}", type="mail.received") for number in range(100)))
    assert {record["runs"]["mail.reader"]["output"] for record in records} == {"started"}
    assert len(made) == 1


@pytest.mark.parametrize(
    ("raised", "kind"),
    [(RuntimeError("no route"), "transient"), (ConnectionRefusedError("no route"), "transient")],
    ids=["unknown", "connection"],
)
async def test_a_start_that_fails_is_tried_again_at_the_next_attempt(
    tmp_path: Path, atomic: bool, raised: BaseException, kind: str
) -> None:
    told, clock = Told(), FakeClock()
    told.fails.append(raised)
    async with an_os(tmp_path, reader(told), atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        run = (await os.record("e-1"))["runs"]["mail.reader"]
        assert run["state"] == "retry"
        assert (run["error"]["class"], run["error"]["code"], run["error"]["kind"]) == (
            "DriverStartError",
            "VX421",
            kind,
        )
        assert f"driver mail.reader could not start: {type(raised).__name__}: no route" in run["error"]["message"]
        await os.recover(clock)
        assert (await os.record("e-1"))["runs"]["mail.reader"]["state"] == "done"
    assert told.said == ["made", "start", "made", "start", "e-1.2", "stop"]


async def test_a_start_that_can_never_succeed_is_not_tried_again(tmp_path: Path, atomic: bool) -> None:
    told = Told()
    told.fails.append(InvalidError("the folder has no such name"))
    async with an_os(tmp_path, reader(told), atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        run = (await os.record("e-1"))["runs"]["mail.reader"]
    assert (run["state"], run["error"]["kind"]) == ("dead", "invalid")
    assert told.said == ["made", "start"]


async def test_a_start_that_is_asked_to_wait_waits(tmp_path: Path, atomic: bool) -> None:
    told, clock = Told(), FakeClock()
    told.fails.append(ThrottledError("too many logins", retry_after_s=60))
    async with an_os(tmp_path, reader(told), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        run = (await os.record("e-1"))["runs"]["mail.reader"]
    assert (run["error"]["kind"], run["not_before"]) == ("throttled", clock.time() + 60)


async def test_what_a_driver_declares_of_exceptions_holds_for_its_start(tmp_path: Path, atomic: bool) -> None:
    told = Told()
    told.fails.append(KeyError("MAIL_HOST"))
    async with an_os(tmp_path, reader(told, errors={"KeyError": "invalid"}), atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        assert (await os.record("e-1"))["runs"]["mail.reader"]["state"] == "dead"


async def test_a_start_that_takes_too_long_is_named(tmp_path: Path, atomic: bool) -> None:
    @driver("mail.reader", capabilities=["mail.received"], timeout="100ms")
    class Reader:
        async def start(self) -> None:
            await asyncio.Event().wait()

        async def handle(self, event: Event) -> None: ...

    async with an_os(tmp_path, Reader, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        error = (await os.record("e-1"))["runs"]["mail.reader"]["error"]
    assert error["kind"] == "transient"
    assert "driver mail.reader could not start within 0.09 s. Raise its `timeout`" in error["message"]


async def test_one_run_that_is_given_up_does_not_end_the_start_that_others_wait_for(
    tmp_path: Path, atomic: bool
) -> None:
    gate, told = Gate(), Told()

    @driver("mail.reader", capabilities=["mail.received"])
    class Reader:
        async def start(self) -> None:
            told.said.append("start")
            await gate.pass_()

        async def handle(self, event: Event) -> str:
            return "read"

    async with an_os(tmp_path, Reader, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"), Event(id="e-2", type="mail.received"))
        deliveries = await os.kernel.queue.receive(2, 0)
        tasks = [asyncio.create_task(os.handle(delivery)) for delivery in deliveries]
        await gate.entered(1)
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        gate.open_all()
        await tasks[1]
        assert (await os.record("e-2"))["runs"]["mail.reader"]["output"] == "read"
    assert told.said == ["start"]


async def test_an_instance_that_does_not_stop_holds_nobody_up(
    tmp_path: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @driver("mail.reader", capabilities=["mail.received"])
    class Reader:
        async def handle(self, event: Event) -> None: ...

        async def stop(self) -> None:
            await asyncio.Event().wait()

    @driver("mail.other", capabilities=["mail.received"])
    class Other:
        async def handle(self, event: Event) -> None: ...

        async def stop(self) -> None:
            raise OSError("the disk is gone")

    monkeypatch.setattr("vextir_os.registry.instances.STOP_S", 0.05)
    async with asyncio.timeout(10), an_os(tmp_path, Reader, Other, atomic=atomic) as os:
        await os.event("mail.received")
    assert sorted(record.getMessage() for record in caplog.records if record.name == "vextir.driver") == [
        "driver mail.other did not stop cleanly: OSError: the disk is gone",
        "driver mail.reader did not stop within 0.05 s",
    ]


async def test_a_class_returns_what_a_function_returns(tmp_path: Path, atomic: bool) -> None:
    @driver("mail.reader", capabilities=["mail.received"], permissions=["emit:mail.read"], delivery="idempotent")
    class Reader:
        async def handle(self, data: dict[str, str]) -> Result:
            return Result(output=data["subject"], events=[Event(type="mail.read", data=data)])

    async with an_os(tmp_path, Reader, atomic=atomic) as os:
        record = await os.event("mail.received", {"subject": "hello"})
        [read] = await os.records("mail.read")
    assert record["runs"]["mail.reader"]["output"] == "hello"
    assert read["event"]["source"] == "/drivers/mail.reader"


async def test_each_registry_has_instances_of_its_own() -> None:
    told = Told()
    cls = reader(told)
    one, other = Registry.of(cls), Registry.of(cls)
    assert one.load(one.get("mail.reader")).instance is not other.load(other.get("mail.reader")).instance
