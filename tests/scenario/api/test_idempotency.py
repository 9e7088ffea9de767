"""`Idempotency-Key`: a request that is sent again makes no second event, and another one is not taken for it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import JSON, Served, a_server, problem

BATCH = [{"type": "said.a", "data": 1}, {"type": "said.a", "data": 2}, {"type": "said.a", "id": "own"}]


async def post(served: Served, body: Any, key: str, **headers: str) -> list[str]:
    answer = await served.client.post("/v1/events", json=body, headers={"Idempotency-Key": key, **headers})
    assert answer.status_code == 202, answer.text
    return [event["id"] for event in answer.json()["events"]]


async def test_a_request_that_is_sent_again_makes_no_second_event(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        first = await post(served, BATCH, "k-1")
        assert await post(served, BATCH, "k-1") == first
        await served.work_off()
        assert await post(served, BATCH, "k-1") == first
        await served.work_off()
        records = await served.os.records()
        assert sorted(record["event_id"] for record in records) == sorted(first)
        assert {record["event"]["correlationid"] for record in records} == set(first)


async def test_a_request_that_is_sent_again_after_a_restart_makes_no_second_event(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        first = await post(served, BATCH, "k-1")
        await served.work_off()
    async with a_server(tmp_path) as served:
        assert await post(served, BATCH, "k-1") == first
        await served.work_off()
        assert len(await served.os.records()) == 3


async def test_the_same_request_at_the_same_time_makes_one_event(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        ids = await asyncio.gather(*(post(served, {"type": "said.a"}, "k-1") for _ in range(20)))
        assert len({one for (one,) in ids}) == 1
        await served.work_off()
        assert len(await served.os.records()) == 1


async def test_each_event_of_a_request_has_an_id_of_its_own_and_one_that_it_brings_stays(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        ids = await post(served, BATCH, "k-1")
        assert len(set(ids)) == 3
        assert ids[2] == "own"


async def test_another_key_or_none_makes_other_events(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        event = {"type": "said.a"}
        ids = [*await post(served, event, "k-1"), *await post(served, event, "k-2")]
        for _ in range(2):
            answer = await served.client.post("/v1/events", json=event)
            ids.append(answer.json()["events"][0]["id"])
        assert len(set(ids)) == 4


async def test_the_key_of_another_user_is_another_key(tmp_path: Path) -> None:
    async with a_server(tmp_path, user="ann") as served:
        ann = await post(served, {"type": "said.a"}, "k-1")
    async with a_server(tmp_path, user="bob") as served:
        assert await post(served, {"type": "said.b"}, "k-1") != ann


async def test_another_request_under_a_used_key_is_refused_and_not_dropped(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        await post(served, {"type": "said.a", "data": 1}, "k-1")
        headers = {"Idempotency-Key": "k-1"}
        refused = await served.client.post("/v1/events", json={"type": "said.a", "data": 2}, headers=headers)
        found = problem(refused, 422)
        assert found["detail"] == "another request was sent under the Idempotency-Key `k-1`; nothing was accepted"
        await served.work_off()
        (record,) = await served.os.records()
        assert record["event"]["data"] == 1


async def test_in_binary_mode_the_attributes_belong_to_the_request(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        binary = {**JSON, "ce-specversion": "1.0", "ce-source": "/x", "ce-type": "said.a", "Idempotency-Key": "k-1"}
        for name, status in (("1", 202), ("1", 202), ("2", 422)):
            answer = await served.client.post("/v1/events", content=b"1", headers={**binary, "ce-id": name})
            assert answer.status_code == status


async def test_a_key_with_a_request_that_was_refused_can_be_used_for_the_right_one(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = {"Idempotency-Key": "k-1"}
        problem(await served.client.post("/v1/events", json={"type": "NO"}, headers=headers), 400)
        await post(served, {"type": "said.a"}, "k-1")


async def test_a_key_reads_the_same_with_quotes_and_without(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        assert await post(served, BATCH, '"k-1"') == await post(served, BATCH, "k-1")


@pytest.mark.parametrize("key", ["", '"', '""', "a b", 'a"b', "\u00e9", "k" * 256, "a\\b"])
async def test_a_key_of_a_wrong_form_is_refused(tmp_path: Path, key: str) -> None:
    async with a_server(tmp_path) as served:
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        refused = await served.client.post("/v1/events", json={"type": "said.a"}, headers=headers)
        found = problem(refused, 400)
        assert found["detail"] == "Idempotency-Key is not one text of 1 to 255 visible ASCII characters"


async def test_two_keys_are_refused(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-1")]
        problem(await served.client.post("/v1/events", json={"type": "said.a"}, headers=headers), 400)
