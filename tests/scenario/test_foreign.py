"""Messages that somebody put on the queue without our key: what they may say of themselves, and what is forged."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import ALLOW_ALL, Harness, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.events.event import Event
from vextir_os.events.ids import emitted_id
from vextir_os.policy.model import Match, Policy
from vextir_os.runs.messages import Knock, knock_message


@driver("echo", capabilities=["mail.*"])
async def echo(event: Event) -> Any:
    return event.data


async def put(os: Harness, body: Any, **properties: Any) -> None:
    """Put one message on the queue, and wait until it is off it, with all that it brought."""
    await os.send(body if isinstance(body, bytes) else json.dumps(body).encode(), "m-1", **properties)
    await os.settled()


def cloudevent(**fields: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "x-1", "source": "/partner", "type": "mail.received", **fields}


async def test_identity_comes_from_the_queues_binding(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, echo, atomic=atomic, tenant="acme") as os:
        await put(os, cloudevent(tenantid="evil", userid="root", priority=9, labels="pii", data={"a": 1}))
        [record] = await os.records()
        event = record["event"]
        assert record["id"].startswith("acme~")
        assert (event["tenantid"], event["userid"], event["priority"]) == ("acme", "queue.events", 6)
        assert event["labels"] == "pii,untrusted"
        assert record["runs"]["echo"]["output"] == {"a": 1}


@pytest.mark.parametrize("source", ["/cli", "/api"])
async def test_a_message_cannot_borrow_the_good_name_of_an_edge(tmp_path: Path, atomic: bool, source: str) -> None:
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await put(os, cloudevent(source=source))
        [record] = await os.records()
        assert record["event"]["labels"] == "untrusted"


async def test_a_source_that_the_operator_vouches_for_is_trusted(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, echo, atomic=atomic, trusted_sources=("/partner",)) as os:
        await put(os, cloudevent())
        [record] = await os.records()
        assert "labels" not in record["event"]


FORGERIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "a type of ours": (cloudevent(type="vextir.run.done"), {}),
    "the type itself": (cloudevent(type="vextir"), {}),
    "attempt": (cloudevent(attempt=3), {}),
    "rerun": (cloudevent(rerun=1), {}),
    "fence": ({"type": "mail.received", "fence": 7}, {}),
    "a driver as source": (cloudevent(source="/drivers/echo"), {}),
    "a claim check": (cloudevent(dataref="vextir-blob:acme~1/data?size=1&sha256=0"), {}),
    "no signature": (cloudevent(), {"vextir__kind": "event"}),
    "a wrong signature": (cloudevent(), {"vextir__kind": "event", "vextir__signature": "0" * 64}),
    "a signature of no text": (cloudevent(), {"vextir__kind": "event", "vextir__signature": 7}),
    "a signature with no kind": (cloudevent(), {"vextir__signature": "0" * 64}),
    "a knock": ({"v": 1, "id": "local~1", "pk": "local~1"}, {"vextir__kind": "knock", "vextir__signature": "é"}),
    "a kind that is not": (cloudevent(), {"vextir__kind": "settle", "vextir__signature": "0" * 64}),
    "one in a batch": ([cloudevent(), cloudevent(id="x-2", fence=1)], {}),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_what_only_the_os_may_say_is_forged(tmp_path: Path, atomic: bool, name: str) -> None:
    body, properties = FORGERIES[name]
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await put(os, body, **properties)
        [letter] = await os.dead_letters("message")
        assert (letter["reason"], letter["message_id"]) == ("forged", "m-1")
        assert await os.records() == []
        await os.event("mail.received", 1)


async def test_a_signature_is_for_one_purpose_alone(tmp_path: Path, atomic: bool) -> None:
    """The signed body of a knock, sent as an event, and the signed body of an event whose bytes were changed."""
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        knock = knock_message(os.kernel.intake.signer, Knock("local~1", "local~1"), id="k")
        signature = str(knock.properties["vextir-signature"])
        for kind in ("event", "inbound"):
            await put(os, knock.body, vextir__kind=kind, vextir__signature=signature)
        await put(os, knock.body.replace(b"local~1", b"local~2"), vextir__kind="knock", vextir__signature=signature)
        assert {letter["reason"] for letter in await os.dead_letters("message")} == {"forged"}


async def test_a_forger_cannot_take_the_place_of_an_event_that_a_driver_will_emit(tmp_path: Path, atomic: bool) -> None:
    @driver("answer", capabilities=["mail.received"], permissions=["emit:mail.answered"])
    async def answer(event: Event) -> Event:
        return Event(type="mail.answered", data="honest")

    foreseen = emitted_id("local", "/cli", "e-1", "answer", 0, "end", 0)
    async with an_os(tmp_path, answer, atomic=atomic) as os:
        await put(os, cloudevent(id=foreseen, source="/drivers/answer", correlationid="e-1", type="mail.answered"))
        await os.event("mail.received")
        [child] = await os.records("mail.answered")
        assert (child["event_id"], child["event"]["data"]) == (foreseen, "honest")


async def test_events_of_one_message_are_records_of_their_own(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await put(os, [cloudevent(id=f"x-{n}", data=n) for n in range(5)] + [{"type": "mail.read", "data": 5}])
        records = await os.records()
        assert sorted(record["runs"]["echo"]["output"] for record in records) == [0, 1, 2, 3, 4, 5]
        assert {record["event"]["labels"] for record in records} == {"untrusted"}


async def test_a_policy_on_what_may_enter_holds_for_each_event_of_a_batch(tmp_path: Path, atomic: bool) -> None:
    deny = Policy(id="no-mail", effect="deny", match=Match(action=("publish:mail.**",)))
    async with an_os(tmp_path, echo, atomic=atomic, policies=(*ALLOW_ALL, deny)) as os:
        await put(os, cloudevent(id="alone"))
        await put(os, [cloudevent(id="in"), cloudevent(id="batch")])
        records = await os.records()
        assert {record["event_id"]: record["decision"]["policy_id"] for record in records} == dict.fromkeys(
            ("alone", "in", "batch"), "no-mail"
        )
        assert all(record["runs"] == {} for record in records)


async def test_an_empty_batch_is_no_event_and_no_error(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await put(os, [])
        assert (await os.records(), await os.dead_letters("message")) == ([], [])


async def test_binary_mode_carries_the_attributes_in_properties(tmp_path: Path, atomic: bool) -> None:
    attributes = {"specversion": "1.0", "id": "x-1", "source": "/partner", "type": "mail.received"}
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await os.send(b'{"a": 1}', "m", "application/json", **{f"cloudEvents_{k}": v for k, v in attributes.items()})
        await os.settled()
        [record] = await os.records()
        assert (record["event_id"], record["runs"]["echo"]["output"]) == ("x-1", {"a": 1})


async def test_two_equal_messages_without_an_id_are_two_events(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        for _ in range(2):
            await put(os, {"type": "mail.received", "data": 1})
        assert len({record["event_id"] for record in await os.records()}) == 2


@pytest.mark.parametrize("where", ["id", "correlationid"])
async def test_names_as_long_as_they_may_be_are_handled_to_the_end(tmp_path: Path, atomic: bool, where: str) -> None:
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        for end in "ab":
            await put(os, cloudevent(**{"id": f"x-{end}", where: "n" * 1_023 + end}))
        records = await os.records()
        assert [record["runs"]["echo"]["state"] for record in records] == ["done", "done"]
        assert len({record["pk"] for record in records}) == 2
