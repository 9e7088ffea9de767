"""Bytes that are no event: kept whole, with the reason, as dead letters; the rest goes on."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.harness import Harness, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.events.event import Event
from vextir_os.ports.blobs import BlobRef


@driver("echo", capabilities=["mail.*"])
async def echo(event: Event) -> Any:
    return event.data


def plain(**fields: Any) -> bytes:
    return json.dumps({"type": "mail.received", **fields}).encode()


GARBAGE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "random bytes": (bytes(range(256)), "UTF-8"),
    "broken JSON": (b'{"type": "mail.received"', "not JSON: Expecting"),
    "no UTF-8": (b'{"type": "mail.received", "data": "\xff"}', "UTF-8"),
    "UTF-16": ('{"type": "mail.received"}'.encode("utf-16"), "UTF-8"),
    "NaN": (b'{"type": "mail.received", "data": NaN}', "NaN"),
    "infinity": (b'{"type": "mail.received", "data": 1e999}', "1e999"),
    "a key twice": (b'{"type": "mail.received", "data": {"a": 1, "a": 2}}', "'a'"),
    "half a surrogate pair": (b'{"type": "mail.received", "data": "\\ud800"}', "surrogate"),
    "a number": (b"42", "no event: a JSON int, not an object"),
    "null": (b"null", "no event: a JSON NoneType, not an object"),
    "no type": (b'{"data": 1}', "type is missing or empty"),
    "an unknown field": (plain(metadat={}), "unknown field 'metadat'. Did you mean `metadata`?"),
    "a field of a wrong type": (plain(user_id=7), "userid is a int, not text"),
    "a time that is none": (plain(time="yesterday"), "time 'yesterday' is not a time"),
    "a type that climbs": (plain(type="../../etc/passwd"), "is not dotted lower case"),
    "a type with a quote": (plain(type="mail';DROP TABLE messages"), "is not dotted lower case"),
    "a type with a line break": (plain(type="mail.received\n"), "is not dotted lower case"),
    "a type over 128 characters": (plain(type="m" * 129), "is not dotted lower case"),
    "a type that is a pattern": (plain(type="mail.*"), "is not dotted lower case"),
    "100,000 brackets": (b"[" * 100_000, "deep"),
    "brackets in data": (b'{"type": "mail.received", "data": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", "deep"),
    "1 MB": (plain(data="x" * 1_000_000), "bytes"),
    "an integer of 100,000 digits": (b'{"type": "mail.received", "data": ' + b"9" * 100_000 + b"}", ""),
    "a batch with one that is bad": (b"[" + plain() + b', {"type": 7}]', "event 1"),
    "another version": (
        b'{"specversion": "9.9", "id": "1", "source": "/", "type": "a"}',
        "specversion '9.9' is not known",
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_what_is_no_event_is_kept_whole_with_its_reason(tmp_path: Path, atomic: bool, name: str) -> None:
    body, reason = GARBAGE[name]
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await os.send(body, "m-1", "application/json", tries=1, quick=True)
        await os.settled()
        [letter] = await os.dead_letters("message")
        assert reason in letter["error"]
        assert (letter["reason"], letter["code"][:3], letter["queue"]) == ("undecodable", "VX2", "events")
        assert await whole(os, letter) == body
        assert letter["properties"] == {"tries": 1, "quick": True}
        assert (letter["message_id"], letter["content_type"]) == ("m-1", "application/json")
        assert os.watch.failed_to_read == [f"{letter['id']}: {letter['error']}"]
        record = await os.event("mail.received", "still here")
        assert record["runs"]["echo"]["output"] == "still here"


async def whole(os: Harness, letter: Any) -> bytes:
    """Return the bytes that a dead letter keeps."""
    if "blob" in letter["body"]:
        return await os.kernel.blobs.get(BlobRef(**letter["body"]["blob"]))
    return base64.b64decode(letter["body"]["base64"])


async def test_dead_letters_do_not_run_into_each_other(tmp_path: Path, atomic: bool) -> None:
    """The same bytes, cut at another place between body and message id."""
    async with an_os(tmp_path, echo, atomic=atomic) as os:
        await os.send(b"garbage", "m-1")
        await os.send(b"garbag", "em-1")
        await os.settled()
        assert sorted([await whole(os, letter) for letter in await os.dead_letters("message")]) == [
            b"garbag",
            b"garbage",
        ]


async def test_of_one_message_there_is_one_dead_letter_however_many_answers_are_lost(
    tmp_path: Path, atomic: bool
) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, echo, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.send(b"garbage", "m-1")
        faults.next("transact" if atomic else "create", "lost" if atomic else "down", times=99)
        faults.next("transact" if atomic else "create", "lost")
        assert await os.work() == 100
        [before] = await os.dead_letters("message")
        assert (await os.kernel.sweep.run()).drained == 1
        await os.recover(clock)
        [letter] = await os.dead_letters("message")
        assert {**letter, "at": 0} == {**before, "at": 0}
        assert await os.left() == []


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.binary(max_size=300).filter(lambda body: body.strip() != b"[]"), min_size=30, max_size=60))
async def test_no_bytes_stop_the_worker(tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]) -> None:
    async with an_os(tmp_path_factory.mktemp("os"), echo, working=False) as os:
        for number, body in enumerate(bodies):
            await os.send(body, f"m-{number}")
        assert await os.work() == len(bodies)
        letters = [await whole(os, letter) for letter in await os.dead_letters("message")]
        assert sorted(letters) == sorted(bodies)
