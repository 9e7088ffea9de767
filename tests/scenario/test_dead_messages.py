"""Dead letters of messages: sent again as they came, they are judged anew and gain no trust."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Crash, Fault, Faults
from tests.support.harness import ANN, Harness, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.errors import InvalidEventError, RunStateError
from vextir_os.events.event import Event
from vextir_os.events.identity import Signer
from vextir_os.processor.edits import Edit
from vextir_os.runs.letters import letter_view


@driver("quick", capabilities=["job.sent"])
async def quick(event: Event) -> str:
    return event.userid


async def letters(os: Harness) -> list[Mapping[str, Any]]:
    """Return the dead letters of messages, the oldest first."""
    return await os.dead_letters("message")


async def test_bytes_that_are_no_event_come_back_as_another_dead_letter(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.send(b"\xff\x00 no event", "m-1", "text/plain", answer=42)
        await os.work()
        [first] = await letters(os)
        done = await os.kernel.dead_letters.replay(first["id"], ANN)
        await os.work()
        [first, second] = await letters(os)
        assert done == first
        assert (first["state"], second["state"]) == ("replayed", "open")
        kept = ("body", "properties", "content_type", "reason", "error", "fingerprint")
        assert {name: first[name] for name in kept} == {name: second[name] for name in kept}
        assert await os.records() == []
        with pytest.raises(RunStateError, match="was replayed already, by user:ann"):
            await os.kernel.dead_letters.replay(first["id"], ANN)


async def test_what_was_forged_is_forged_again(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        body = b'{"specversion":"1.0","id":"x","source":"/cli","type":"job.sent","tenantid":"other","userid":"root"}'
        await os.send(body, "m-1", vextir__kind="event", vextir__signature="0" * 64)
        await os.work()
        [first] = await letters(os)
        await os.kernel.dead_letters.replay(first["id"], ANN)
        await os.work()
        assert [one["reason"] for one in await letters(os)] == ["forged", "forged"]
        assert await os.records() == []


async def test_a_foreign_message_stays_foreign(tmp_path: Path, atomic: bool) -> None:
    """Whatever it says of its user and tenant, and whoever sends it again, it is a message of the queue."""
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.send(b'{"type": "job.sent", "id": "x", "source": "/cli", "user_id": "root"}', "m-1")
        [delivery] = await os.kernel.queue.receive(1, 0)
        await os.kernel.queue.dead_letter(delivery.token, reason="ByHand")
        await os.sweep()
        [first] = await letters(os)
        await os.kernel.dead_letters.replay(first["id"], ANN)
        await os.work()
        event = (await os.record("x"))["event"]
        assert (event["userid"], event["labels"], event["tenantid"]) == ("queue.events", "untrusted", "local")


async def test_our_own_message_is_taken_once_its_key_is_back(tmp_path: Path, atomic: bool) -> None:
    lost = b"k" * 32
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        before = dataclasses.replace(os.kernel.intake, signer=Signer(lost))
        await before.publish([Event(id="e-1", type="job.sent")], ANN, source="/cli")
        await os.work()
        [first] = await letters(os)
        assert "vextir-signature" not in letter_view(first)["properties"]
    (tmp_path / "data/signing.key").write_text(lost.hex())
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.kernel.dead_letters.replay(first["id"], ANN)
        await os.work()
        assert (await os.record("e-1"))["runs"]["quick"]["output"] == "ann"


async def test_a_large_message_is_sent_again_whole(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.send(b"x" * 150_000, "m-1")
        await os.work()
        [first] = await letters(os)
        await os.kernel.dead_letters.replay(first["id"], ANN)
        await os.work()
        [_, second] = await letters(os)
        assert second["body"]["blob"]["sha256"] == first["body"]["blob"]["sha256"]
        assert letter_view(second)["body"] == {"size_bytes": 150_000, "sha256": first["body"]["blob"]["sha256"]}


@pytest.mark.parametrize("fault", ["lost", "down", "late"])
async def test_in_one_transaction_a_lost_answer_sends_it_once(tmp_path: Path, fault: Fault) -> None:
    faults = Faults()
    async with an_os(tmp_path, quick, clock=FakeClock(), working=False, faults=faults) as os:
        await os.send(b"no event", "m-1")
        await os.work()
        [first] = await letters(os)
        faults.next("transact", fault)
        await os.kernel.dead_letters.replay(first["id"], ANN)
        await faults.land()
        assert len(await os.left()) == 1


async def test_a_crash_between_sending_and_marking_sends_it_under_the_same_id(tmp_path: Path) -> None:
    faults = Faults()
    async with an_os(tmp_path, quick, atomic=False, clock=FakeClock(), working=False, faults=faults) as os:
        await os.send(b"no event", "m-1")
        await os.work()
        [first] = await letters(os)
        faults.next("replace", "crash before")
        with pytest.raises(Crash):
            await os.kernel.dead_letters.replay(first["id"], ANN)
        await os.kernel.dead_letters.replay(first["id"], ANN)
        one, two = await os.left()
        assert one == two == f"m-1~r{first['id'][:12]}"
        await os.work()
        assert [letter["state"] for letter in await letters(os)] == ["replayed", "open"]


async def test_a_message_is_edited_into_a_whole_event(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.send(b'{"type": "job.sent", "data": {"n": 1', "m-1")
        await os.work()
        [first] = await letters(os)
        with pytest.raises(InvalidEventError, match="has no event any more whose data could be edited"):
            await os.kernel.dead_letters.edit(first["id"], ANN, Edit(data={"n": 1}), source="/cli")
        whole = Edit(event=Event(type="job.sent", data={"n": 1}))
        done, event = await os.kernel.dead_letters.edit(first["id"], ANN, whole, source="/cli")
        await os.work()
        record = await os.record(event.id)
        assert (record["runs"]["quick"]["output"], record["event"]["causationid"]) == ("ann", first["id"])
        assert (done["state"], done["closed"]["event"]) == ("edited", event.id)


async def test_a_message_is_set_aside(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.send(b"no event", "m-1")
        await os.work()
        [first] = await letters(os)
        await os.kernel.dead_letters.discard(first["id"], ANN, reason="spam")
        [first] = await letters(os)
        assert (first["state"], first["closed"]["reason"]) == ("discarded", "spam")
        assert await os.left() == []


async def test_a_message_that_comes_again_does_not_undo_what_a_person_did(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, atomic=atomic, clock=FakeClock(), working=False) as os:
        for _ in range(2):
            await os.send(b"no event", "m-1")
            await os.work()
            [first] = await letters(os)
            if first["state"] == "open":
                await os.kernel.dead_letters.discard(first["id"], ANN)
        await os.send(b"no event", "m-1")
        [delivery] = await os.kernel.queue.receive(1, 0)
        await os.kernel.queue.dead_letter(delivery.token, reason="ByHand")
        await os.sweep()
        [first] = await letters(os)
        assert first["state"] == "discarded"
