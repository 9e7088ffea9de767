"""Each run that fails for good is told as an event, in the write that makes it dead; and that ends somewhere."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.harness import ALLOW_ALL, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import Delivery, Retry
from vextir_os.errors import ForgedError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy
from vextir_os.runs.transitions import MAX_TAKEOVERS

ERROR = "vextir.error"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@driver("strict", capabilities=["job.sent"])
async def strict(event: Event) -> None:
    raise InvalidError("no such customer")


@driver("desk", capabilities=[ERROR], permissions=["emit:alert.raised"])
async def desk(event: Event) -> Event:
    return Event(type="alert.raised", data={"driver": event.data.driver, "said": event.data.error.message})


@driver("siren", capabilities=["alert.raised"])
async def siren(event: Event) -> Any:
    return event.data


async def test_a_run_that_fails_for_good_is_an_event_that_drivers_handle(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, strict, desk, siren, atomic=atomic) as os:
        (failed,) = await os.run(
            Event(
                id="e-1",
                type="job.sent",
                source="/cli",
                correlationid="c-1",
                labels=("pii",),
                traceparent=PARENT,
            )
        )
        [told] = await os.records(ERROR)
        [letter] = await os.dead_letters("run")
        event = told["event"]
        assert event["data"] == {
            "driver": "strict",
            "event": {"id": "e-1", "type": "job.sent", "source": "/cli"},
            "attempts": 1,
            "rerun": 0,
            "error": {"class": "InvalidError", "code": "VX412", "kind": "invalid", "message": "no such customer"},
            "dead_letter": letter["id"],
        }
        named = ("source", "category", "tenantid", "userid", "correlationid", "causationid", "labels", "traceparent")
        assert [event[name] for name in named] == [
            "/drivers/strict", "internal", "local", "ann", "c-1", "e-1", "pii", PARENT
        ]  # fmt: skip
        assert failed["runs"]["strict"]["state"] == "dead"
        [alert] = await os.records("alert.raised")
        assert alert["runs"]["siren"]["output"] == {"driver": "strict", "said": "no such customer"}


async def test_a_retry_is_no_failure_for_good(tmp_path: Path, atomic: bool) -> None:
    @driver("moody", capabilities=["job.sent"], retry=Retry(base_s=0.01))
    async def moody(event: Event, ctx: Context) -> None:
        if ctx.attempt < 3:
            raise TransientError("not yet")

    async with an_os(tmp_path, moody, desk, atomic=atomic) as os:
        await os.event("job.sent")
        assert [record["event"]["type"] for record in await os.records()] == ["job.sent"]


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
async def test_each_driver_that_fails_is_told_by_itself(tmp_path: Path, atomic: bool, delivery: Delivery) -> None:
    def failing(name: str) -> Any:
        @driver(name, capabilities=["job.sent"], delivery=delivery)
        async def fail(event: Event) -> None:
            raise InvalidError(name)

        return fail

    async with an_os(tmp_path, failing("first"), failing("second"), atomic=atomic) as os:
        await os.event("job.sent")
        told = await os.records(ERROR)
        assert sorted(record["event"]["data"]["error"]["message"] for record in told) == ["first", "second"]
        assert len({record["event_id"] for record in told}) == 2


async def test_a_driver_that_kills_its_process_is_told(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()

    @driver("killer", capabilities=["job.sent"])
    async def killer(event: Event) -> None:
        raise KeyboardInterrupt

    async with an_os(tmp_path, killer, desk, atomic=atomic, clock=clock, working=False) as os:
        os.watch.expect("e-1")
        await os.publish(Event(id="e-1", type="job.sent"))
        for _ in range(MAX_TAKEOVERS + 3):
            with contextlib.suppress(KeyboardInterrupt):
                await os.work()
            clock.advance(70)
            await os.sweep()
        [told] = await os.records(ERROR)
        assert told["event"]["data"]["error"]["class"] == "WorkerLost"
        assert told["runs"]["desk"]["state"] == "done"
        assert "e-1" not in os.watch.open
        assert told["event_id"] not in os.watch.open


async def test_a_failure_of_who_handles_failures_is_told_no_further(tmp_path: Path, atomic: bool) -> None:
    seen = []

    @driver("broken.desk", capabilities=["**"])
    async def broken(event: Event) -> None:
        seen.append(event.type)
        raise InvalidError("the desk is broken")

    async with an_os(tmp_path, broken, atomic=atomic) as os:
        await os.event("job.sent")
        assert seen == ["job.sent", ERROR]
        assert len(await os.records()) == 2
        assert len(await os.dead_letters("run")) == 2


async def test_a_failure_that_comes_of_its_own_handling_ends(tmp_path: Path, atomic: bool) -> None:
    """The alert fails, which is told, which makes an alert, which fails."""

    @driver("broken.siren", capabilities=["alert.raised"])
    async def broken(event: Event) -> None:
        raise InvalidError("no power")

    async with an_os(tmp_path, strict, desk, broken, atomic=atomic, max_loops=3) as os:
        await os.event("job.sent")
        assert len(await os.records("alert.raised")) == 3
        storm = [letter for letter in await os.dead_letters("run") if letter["error"]["class"] == "StormError"]
        assert [letter["driver"] for letter in storm] == ["desk"]


async def test_it_holds_no_traceback_and_is_bounded(tmp_path: Path, atomic: bool) -> None:
    @driver("loud", capabilities=["job.sent"], retry=Retry(max_attempts=1))
    async def loud(event: Event) -> None:
        if event.data == "short":
            raise ValueError("it failed")
        raise type("E" * 5_000, (ValueError,), {})("é\x00" * 100_000)

    async with an_os(tmp_path, loud, atomic=atomic) as os:
        short, long = await os.run(Event(type="job.sent", data="short"), Event(type="job.sent", data="long"))
        assert "line" in short["runs"]["loud"]["error"]["traceback"]
        told = {record["event"]["causationid"]: record["event"] for record in await os.records(ERROR)}
        assert told[short["event_id"]]["data"]["error"] == {
            "class": "ValueError", "code": "VX400", "kind": "bug", "message": "it failed"
        }  # fmt: skip
        assert len(json.dumps(told[long["event_id"]])) < 10_000


async def test_what_a_crash_left_of_it_is_published_once(tmp_path: Path) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, strict, atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("send", "crash before")
        await os.work()
        record = await os.record("e-1")
        assert [entry["do"] for entry in record["outbox"]] == ["put", "emit"]
        assert await os.records(ERROR) == []
        faults.next("send", "lost")
        await os.recover(clock)
        assert len(await os.records(ERROR)) == 1
        assert len(await os.dead_letters("run")) == 1
        assert (await os.record("e-1"))["outbox"] == []


async def test_a_crash_before_the_write_tells_nothing(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, strict, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("transact" if atomic else "replace", *((None,) if atomic else ()), "crash before")
        await os.work()
        assert await os.records(ERROR) == []
        await os.recover(clock)
        assert len(await os.records(ERROR)) == 1


async def test_only_the_os_says_that_something_failed(tmp_path: Path, atomic: bool) -> None:
    @driver("liar", capabilities=["job.sent"], permissions=["emit:**"], retry=Retry(max_attempts=1))
    async def liar(event: Event) -> Event:
        return Event(type=ERROR, data={"driver": "strict"})

    async with an_os(tmp_path, liar, desk, atomic=atomic) as os:
        with pytest.raises(ForgedError, match="reserved for the OS"):
            await os.publish(Event(type=ERROR))
        await os.event("job.sent")
        [told] = await os.records(ERROR)
        assert told["event"]["data"]["driver"] == "liar"
        assert "which only the OS may publish" in told["event"]["data"]["error"]["message"]
        await os.send(json.dumps({"type": ERROR, "data": {"driver": "strict"}}).encode(), "m-1")
        await os.settled()
        assert [letter["reason"] for letter in await os.dead_letters("message")] == ["forged"]
        assert len(await os.records(ERROR)) == 1


async def test_policies_say_whether_it_is_handled(tmp_path: Path, atomic: bool) -> None:
    deny = Policy(id="quiet", effect="deny", match=Match(action=(f"process:{ERROR}",)), reason="not here")
    async with an_os(tmp_path, strict, desk, atomic=atomic, policies=(*ALLOW_ALL, deny)) as os:
        await os.event("job.sent")
        [told] = await os.records(ERROR)
        assert (told["decision"]["effect"], told["runs"]) == ("deny", {})
