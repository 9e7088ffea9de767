"""People and dead letters: a run again under the next rerun, an edited event in its place, one that is set aside."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Crash, Fault, Faults
from tests.support.gate import Gate
from tests.support.harness import ALLOW_ALL, ANN, Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError
from vextir_os.driverkit.result import Result
from vextir_os.errors import DeniedError, InvalidEventError, NotFoundError, RunStateError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.policy.model import Match, Policy
from vextir_os.processor.edits import Edit
from vextir_os.runs.deadletter import dead_run_id

BOB = Principal(kind="user", id="bob", tenant="local")
LEASE_OVER_S = 48.0


class Shop:
    """A driver that fails until it is open, and then emits what it was given; it says how often it began."""

    def __init__(self) -> None:
        self.open = False
        self.began: list[tuple[int, int]] = []

    def driver(self) -> Any:
        @driver("shop", capabilities=["job.sent"], permissions=["emit:job.done"])
        async def shop(event: Event, ctx: Context) -> Result:
            self.began.append((ctx.rerun, ctx.attempt))
            if not self.open:
                raise InvalidError(f"order {event.id} cannot be taken")
            return Result(output={"rerun": ctx.rerun}, events=[Event(type="job.done", data={"rerun": ctx.rerun})])

        return shop


async def dead(os: Harness, *event_ids: str) -> list[str]:
    """Let events die, and return the ids of their dead letters."""
    await os.publish(*(Event(id=event_id, type="job.sent", data={"n": 1}) for event_id in event_ids))
    await os.work()
    records = [await os.record(event_id) for event_id in event_ids]
    assert [record["runs"]["shop"]["state"] for record in records] == ["dead"] * len(event_ids)
    return [dead_run_id(record["id"], "shop", 0) for record in records]


async def letter(os: Harness, letter_id: str) -> Mapping[str, Any]:
    """Return a dead letter as the store has it."""
    return (await os.kernel.store.read("deadletters", "local", letter_id)).document


async def test_a_dead_letter_says_what_failed_and_how(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        [one, two] = await dead(os, "e-1", "e-2")
        found = await os.kernel.dead_letters.find(one, "local")
        assert (found["driver"], found["event_id"], found["type"], found["rerun"]) == ("shop", "e-1", "job.sent", 0)
        assert (found["state"], found["attempts"], found["at"]) == ("open", 1, clock.time())
        assert (found["error"]["class"], found["error"]["message"]) == ("InvalidError", "order e-1 cannot be taken")
        assert 'in shop\n    raise InvalidError(f"order {event.id}' in found["error"]["traceback"]
        assert [tried["attempt"] for tried in found["error"]["tried"]] == [1]
        assert found["fingerprint"] == (await letter(os, two))["fingerprint"]


async def test_a_replay_commits_once_per_rerun_and_mixes_no_outputs(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        [first] = await dead(os, "e-1")
        await os.kernel.dead_letters.replay(first, ANN)
        await os.work()
        record = await os.record("e-1")
        [second] = [dead_run_id(record["id"], "shop", 1)]
        assert (record["runs"]["shop"]["state"], record["runs"]["shop"]["rerun"]) == ("dead", 1)
        shop.open = True
        for _ in range(3):
            answers = await asyncio.gather(
                *(os.kernel.dead_letters.replay(one, ANN) for one in (first, second, second)), return_exceptions=True
            )
            await os.work()
            await os.sweep()
            assert sum(isinstance(answer, RunStateError) for answer in answers) >= 2
        await os.recover(clock)
        run = (await os.record("e-1"))["runs"]["shop"]
        assert (run["state"], run["rerun"], run["attempt"], run["output"]) == ("done", 2, 0, {"rerun": 2})
        assert shop.began == [(0, 1), (1, 1), (2, 1)]
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"rerun": 2}]
        assert [(await letter(os, one))["state"] for one in (first, second)] == ["replayed", "replayed"]


async def test_a_zombie_of_the_rerun_before_cannot_land(tmp_path: Path, atomic: bool) -> None:
    gate, clock, ends = Gate(), FakeClock(), []

    @driver("shop", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def slow(event: Event, ctx: Context) -> Result:
        number = await gate.pass_()
        ends.append((number, ctx.rerun))
        if number == 2:
            raise InvalidError("this one ends it")
        return Result(output={"call": number}, events=[Event(type="job.done", data={"call": number})])

    async with an_os(tmp_path, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        workers = []
        for number in (1, 2):
            # The first worker sleeps too long, the second takes its run over and fails for good.
            [delivery] = await os.kernel.queue.receive(1, 0)
            workers.append(asyncio.create_task(os.handle(delivery)))
            await gate.entered(number)
            clock.advance(LEASE_OVER_S)
            await os.sweep()
        gate.open(2)
        await workers[1]
        record = await os.record("e-1")
        assert record["runs"]["shop"]["state"] == "dead"
        while deliveries := await os.kernel.queue.receive(1, 0):
            await os.handle(deliveries[0])
        await os.kernel.dead_letters.replay(dead_run_id(record["id"], "shop", 0), ANN)
        [delivery] = await os.kernel.queue.receive(1, 0)
        heir = asyncio.create_task(os.handle(delivery))
        await gate.entered(3)
        gate.open(1)
        await workers[0]
        assert (await os.record("e-1"))["runs"]["shop"]["state"] == "running"
        gate.open(3)
        await heir
        await os.work()
        assert sorted(ends) == [(1, 0), (2, 0), (3, 1)]
        assert (await os.record("e-1"))["runs"]["shop"]["output"] == {"call": 3}
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"call": 3}]


async def test_events_of_a_rerun_have_ids_of_their_own(tmp_path: Path, atomic: bool) -> None:
    """The run fails after its event is out: what a driver emitted before a person's replay is another event."""
    shop, clock = Shop(), FakeClock()
    shop.open = True
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        [before] = await os.records("job.done")
        # As if it had died after all, of which there is no other way once it is done.
        record = await os.record("e-1")
        died = {**record, "runs": {"shop": {**record["runs"]["shop"], "state": "dead"}}}
        await os.kernel.store.upsert("events", died)
        await os.kernel.store.create(
            "deadletters",
            {"id": "l-1", "pk": "local", "kind": "run", "record": {"id": record["id"], "pk": record["pk"]},
             "event_id": "e-1", "driver": "shop", "rerun": 0, "attempts": 1, "at": clock.time(),
             "error": {"class": "E", "code": "VX400", "message": "m"}},
        )  # fmt: skip
        await os.kernel.dead_letters.replay("l-1", ANN)
        await os.work()
        [one, two] = await os.records("job.done")
        assert (one["event"]["data"], two["event"]["data"]) == ({"rerun": 0}, {"rerun": 1})
        assert one["event_id"] == before["event_id"] != two["event_id"]


@pytest.mark.parametrize("fault", ["lost", "late", "meddled", "down"])
async def test_a_replay_whose_answer_is_lost_is_one_replay(tmp_path: Path, atomic: bool, fault: Fault) -> None:
    shop, clock, faults = Shop(), FakeClock(), Faults()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        [one] = await dead(os, "e-1")
        faults.next("transact" if atomic else "replace", fault)
        shop.open = True
        answer = await os.kernel.dead_letters.replay(one, ANN, reason="the shop is open")
        await faults.land()
        await os.work()
        await os.recover(clock)
        record = await os.record("e-1")
        assert (record["runs"]["shop"]["rerun"], record["runs"]["shop"]["state"]) == (1, "done")
        assert [(act["do"], act["by"], act["reason"]) for act in record["acts"]] == [
            ("replay", "user:ann", "the shop is open")
        ]
        assert (answer["state"], answer["closed"]["by"]) == ("replayed", "user:ann")
        assert await letter(os, one) == answer
        assert shop.began == [(0, 1), (1, 1)]


async def test_the_own_replay_is_known_again_though_a_worker_has_its_run_already(tmp_path: Path, atomic: bool) -> None:
    shop, clock, faults = Shop(), FakeClock(), Faults()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        [one] = await dead(os, "e-1")
        shop.open = True
        # The write is done, its answer lost, and no read answers until a worker has run it and has ended.
        faults.next("transact" if atomic else "replace", "lost")
        faults.next("read", None, None, "down")
        replaying = asyncio.create_task(os.kernel.dead_letters.replay(one, ANN))
        async with asyncio.timeout(10):
            while (await os.record("e-1"))["runs"]["shop"]["state"] != "done":
                await os.sweep()
                await os.work()
                clock.advance(1)
            assert (await replaying)["state"] == "replayed"
        assert (await os.record("e-1"))["runs"]["shop"]["rerun"] == 1


async def test_a_crash_between_record_and_dead_letter_loses_and_doubles_nothing(tmp_path: Path, atomic: bool) -> None:
    shop, clock, faults = Shop(), FakeClock(), Faults()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        [one] = await dead(os, "e-1")
        shop.open = True
        faults.next("replace", *([] if atomic else [None]), "crash before")
        with pytest.raises(Crash):
            await os.kernel.dead_letters.replay(one, ANN)
        assert (await letter(os, one))["state"] == "open"
        assert (await os.kernel.dead_letters.find(one, "local"))["state"] == "replayed"
        with pytest.raises(RunStateError, match="driver shop of event e-1 was replayed already, by user:ann"):
            await os.kernel.dead_letters.discard(one, BOB)
        assert (await letter(os, one))["closed"]["by"] == "user:ann"
        await os.recover(clock)
        assert shop.began == [(0, 1), (1, 1)]


async def test_what_is_discarded_is_not_run_and_says_who_and_why(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        [one] = await dead(os, "e-1")
        done = await os.kernel.dead_letters.discard(one, BOB, reason="a test order")
        assert done == await letter(os, one)
        assert (done["state"], done["closed"]["by"], done["closed"]["reason"]) == (
            "discarded", "user:bob", "a test order"
        )  # fmt: skip
        [act] = (await os.record("e-1"))["acts"]
        assert (act["do"], act["by"], act["run"], act["rerun"]) == ("discard", "user:bob", "shop", 0)
        with pytest.raises(RunStateError, match=f"dead letter {one} was discarded already, by user:bob"):
            await os.kernel.dead_letters.replay(one, ANN)
        assert "due" not in await os.record("e-1")


async def test_of_a_replay_and_a_discard_at_once_one_wins(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    shop_driver = shop.driver()
    async with an_os(tmp_path, shop_driver, atomic=atomic, clock=clock, working=False) as os:
        letters = await dead(os, *(f"e-{number}" for number in range(8)))
        for one in letters:
            acts = os.kernel.dead_letters
            answers = await asyncio.gather(acts.replay(one, ANN), acts.discard(one, BOB), return_exceptions=True)
            won = [answer for answer in answers if isinstance(answer, dict)]
            assert len(won) == 1
            found = await letter(os, one)
            assert found["state"] == won[0]["state"]
            record = await os.record(found["event_id"])
            assert record["runs"]["shop"]["rerun"] == (1 if found["state"] == "replayed" else 0)
            assert len(record["acts"]) == 1


async def test_an_edit_is_a_new_event_caused_by_the_old_one(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(
            Event(id="e-1", type="job.sent", source="/mail", data={"n": 1}, correlationid="flow-1", labels=("pii",))
        )
        await os.work()
        old = await os.record("e-1")
        one = dead_run_id(old["id"], "shop", 0)
        shop.open = True
        done, event = await os.kernel.dead_letters.edit(one, BOB, Edit(data={"n": 2}), source="/cli", reason="typo")
        await os.work()
        new = (await os.record(event.id))["event"]
        assert (new["type"], new["data"], new["source"]) == ("job.sent", {"n": 2}, "/cli")
        assert (new["causationid"], new["correlationid"], new["userid"]) == ("e-1", "flow-1", "bob")
        assert new["labels"] == "pii,untrusted"
        assert (await os.record(event.id))["runs"]["shop"]["state"] == "done"
        after = await os.record("e-1")
        assert after["runs"] == old["runs"]
        assert [(act["do"], act["by"], act["event"]) for act in after["acts"]] == [("edit", "user:bob", event.id)]
        assert (done["state"], done["closed"]["event"]) == ("edited", event.id)
        with pytest.raises(RunStateError, match="was edited already, by user:bob"):
            await os.kernel.dead_letters.edit(one, BOB, Edit(data={"n": 3}), source="/cli")


async def test_a_whole_event_may_be_put_in_the_place_but_not_its_identity(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        [one] = await dead(os, "e-1")
        forged = Event(
            type="job.other", id="e-9", source="/drivers/shop", tenantid="other", userid="root", causationid="x",
            correlationid="y", category="internal", priority=9, data=[1],
        )  # fmt: skip
        _, event = await os.kernel.dead_letters.edit(one, BOB, Edit(event=forged), source="/cli")
        assert (event.type, event.data, event.source, event.tenantid) == ("job.other", [1], "/cli", "local")
        assert (event.userid, event.causationid, event.correlationid) == ("bob", "e-1", "e-1")
        assert (event.category, event.priority) == ("input", 6)
        assert event.id != "e-9"


async def test_an_edited_event_enters_only_as_its_editor_may(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    deny = Policy(id="not-bob", effect="deny", match=Match(action=("publish:job.*",), users=("bob",)), priority=9)
    policies = (*ALLOW_ALL, deny)
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, policies=policies) as os:
        [one] = await dead(os, "e-1")
        with pytest.raises(DeniedError, match=r"user:bob may not publish 'job.sent'"):
            await os.kernel.dead_letters.edit(one, BOB, Edit(data=1), source="/cli")
        assert (await letter(os, one))["state"] == "open"
        assert len(await os.records("job.sent")) == 1


@pytest.mark.parametrize("fault", ["lost", "late", "meddled", "down"])
async def test_an_edit_whose_answer_is_lost_is_one_event(tmp_path: Path, atomic: bool, fault: Fault) -> None:
    shop, clock, faults = Shop(), FakeClock(), Faults()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        [one] = await dead(os, "e-1")
        shop.open = True
        faults.next("transact" if atomic else "replace", fault)
        _, event = await os.kernel.dead_letters.edit(one, BOB, Edit(data=2), source="/cli")
        await faults.land()
        await os.recover(clock)
        assert [record["event_id"] for record in await os.records("job.sent")] == ["e-1", event.id]
        assert (await os.record(event.id))["runs"]["shop"]["state"] == "done"


@pytest.mark.parametrize("verb", ["replay", "discard"])
async def test_who_may_not_act_changes_nothing(tmp_path: Path, atomic: bool, verb: str) -> None:
    shop, clock = Shop(), FakeClock()
    deny = Policy(id="no", effect="deny", match=Match(action=(f"admin:{verb}",), event=("job.*",)), priority=9)
    policies = (*ALLOW_ALL, deny)
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, policies=policies) as os:
        [one] = await dead(os, "e-1")
        before = await os.record("e-1")
        with pytest.raises(DeniedError, match=rf"user:ann may not {verb} 'job.sent': policy no denies it"):
            await getattr(os.kernel.dead_letters, verb)(one, ANN)
        assert await os.record("e-1") == before
        assert (await letter(os, one))["state"] == "open"


async def test_another_tenants_dead_letter_is_not_there(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    eve = Principal(kind="user", id="ann", tenant="other")
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False) as os:
        [one] = await dead(os, "e-1")
        for act in (os.kernel.dead_letters.replay, os.kernel.dead_letters.discard):
            with pytest.raises(NotFoundError, match=f"there is no dead letter `{one}`"):
                await act(one, eve)
        with pytest.raises(NotFoundError):
            await os.kernel.dead_letters.find(one, "other")


async def test_a_dead_letter_whose_record_is_gone_can_be_edited_or_discarded(tmp_path: Path, atomic: bool) -> None:
    shop, clock = Shop(), FakeClock()
    async with an_os(tmp_path, shop.driver(), atomic=atomic, clock=clock, working=False, retention_s=60) as os:
        [one, two] = await dead(os, "e-1", "e-2")
        clock.advance(61)
        with pytest.raises(RunStateError, match="the record of event e-1 is gone, so its run cannot be replayed"):
            await os.kernel.dead_letters.replay(one, ANN)
        with pytest.raises(InvalidEventError, match="has no event any more whose data could be edited"):
            await os.kernel.dead_letters.edit(one, ANN, Edit(data=2), source="/cli")
        whole = Edit(event=Event(type="job.sent", data=2))
        _, event = await os.kernel.dead_letters.edit(one, ANN, whole, source="/cli")
        assert event.causationid == "e-1"
        await os.kernel.dead_letters.discard(two, ANN)
        assert [(await letter(os, name))["state"] for name in (one, two)] == ["edited", "discarded"]


async def test_a_driver_beside_a_replayed_one_is_left_alone(tmp_path: Path, atomic: bool) -> None:
    shop, clock, calls = Shop(), FakeClock(), []

    @driver("beside", capabilities=["job.sent"])
    async def beside(event: Event) -> str:
        calls.append(event.id)
        return "beside"

    async with an_os(tmp_path, shop.driver(), beside, atomic=atomic, clock=clock, working=False) as os:
        [one] = await dead(os, "e-1")
        before = await os.record("e-1")
        shop.open = True
        await os.kernel.dead_letters.replay(one, ANN)
        await os.recover(clock)
        after = await os.record("e-1")
        assert (calls, after["runs"]["beside"]) == (["e-1"], before["runs"]["beside"])
        assert after["runs"]["shop"]["state"] == "done"
