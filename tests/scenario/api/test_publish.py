"""Events come in by HTTP in every form, as the one who has the key, and can be read again."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import JSON, a_server, problem
from vextir_os.policy.model import Match, Policy

CLOUD = {"specversion": "1.0", "id": "c-1", "source": "/mail", "type": "said.cloud", "data": {"n": 1}}


async def test_one_event_is_accepted_and_its_record_is_where_the_answer_says(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        answer = await served.client.post("/v1/events", json={"type": "said.hello", "data": {"n": 1}})
        assert answer.status_code == 202
        (event,) = answer.json()["events"]
        assert event["type"] == "said.hello"
        assert answer.headers["location"] == f"/v1/events/{event['id']}"
        await served.work_off()
        record = (await served.client.get(answer.headers["location"])).json()
        assert (record["id"], record["status"]) == (event["id"], "ok")
        assert record["event"]["source"] == "/api"
        assert record["runs"]["hear"]["output"] == {"heard": {"n": 1}}


@pytest.mark.parametrize(
    ("content_type", "body", "ids"),
    [
        pytest.param("application/json", {"type": "said.a", "id": "p-1"}, ["p-1"], id="plain"),
        pytest.param("application/json; charset=utf-8", CLOUD, ["c-1"], id="structured-as-json"),
        pytest.param("application/json", [{"type": "said.a", "id": "1"}, {**CLOUD, "id": "2"}], ["1", "2"], id="array"),
        pytest.param("application/cloudevents+json", CLOUD, ["c-1"], id="structured"),
        pytest.param("application/cloudevents-batch+json", [CLOUD, {**CLOUD, "id": "2"}], ["c-1", "2"], id="batch"),
        pytest.param("application/cloudevents-batch+json", [], [], id="empty-batch"),
    ],
)
async def test_every_json_form_is_read(tmp_path: Path, content_type: str, body: Any, ids: list[str]) -> None:
    async with a_server(tmp_path) as served:
        answer = await served.client.post("/v1/events", json=body, headers={"Content-Type": content_type})
        assert answer.status_code == 202, answer.text
        assert [event["id"] for event in answer.json()["events"]] == ids
        assert ("location" in answer.headers) == (len(ids) == 1)
        await served.work_off()
        assert sorted(record["event_id"] for record in await served.os.records()) == sorted(ids)


async def test_binary_mode_takes_the_attributes_from_headers_and_the_data_from_the_body(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = {**JSON, "ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "/mail", "ce-type": "said.b"}
        subject = {"ce-subject": "Euro%20%E2%82%AC"}
        answer = await served.client.post("/v1/events", content=b'{"n": 2}', headers={**headers, **subject})
        assert answer.status_code == 202, answer.text
        await served.work_off()
        event = (await served.client.get("/v1/events/b-1")).json()["event"]
        assert (event["subject"], event["data"]) == ("Euro €", {"n": 2})


async def test_binary_mode_needs_no_content_type_where_there_is_no_data(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = {"ce-specversion": "1.0", "ce-id": "b-2", "ce-source": "/mail", "ce-type": "said.b"}
        assert (await served.client.post("/v1/events", headers=headers)).status_code == 202
        await served.work_off()
        assert "data" not in (await served.client.get("/v1/events/b-2")).json()["event"]


async def test_identity_comes_from_the_key_and_never_from_the_body(tmp_path: Path) -> None:
    async with a_server(tmp_path, tenant="acme", user="ann") as served:
        body = {"type": "said.a", "id": "i-1", "tenant_id": "other", "user_id": "root", "priority": 9, "source": "/x"}
        assert (await served.client.post("/v1/events", json=body)).status_code == 202
        await served.work_off()
        event = (await served.client.get("/v1/events/i-1")).json()["event"]
        assert (event["tenantid"], event["userid"], event["priority"]) == ("acme", "ann", 6)
        assert event["labels"] == "untrusted"


async def test_an_event_of_another_tenant_is_not_found(tmp_path: Path) -> None:
    async with a_server(tmp_path, tenant="other") as served:
        await served.client.post("/v1/events", json={"type": "said.a", "id": "i-1"})
        await served.work_off()
    async with a_server(tmp_path, tenant="acme") as served:
        assert problem(await served.client.get("/v1/events/i-1"), 404)["code"] == "VX501"


@pytest.mark.parametrize("name", ["a/b", "a b?c=d#e", "ü€", "%2e", "a;b", '"<script>', "x" * 1_000])
async def test_an_id_of_any_visible_text_leads_to_its_record(tmp_path: Path, name: str) -> None:
    async with a_server(tmp_path) as served:
        answer = await served.client.post("/v1/events", json={"type": "said.a", "id": name})
        await served.work_off()
        assert (await served.client.get(answer.headers["location"])).json()["id"] == name


async def test_an_event_that_was_not_taken_from_the_queue_has_no_record_yet_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    async with a_server(tmp_path) as served:
        answer = await served.client.post("/v1/events", json={"type": "said.a", "id": "e-1"})
        found = problem(await served.client.get(answer.headers["location"]), 404)
        assert found["detail"] == "no record of event `e-1`"
        assert found["hint"] == "An event that was accepted has its record as soon as a worker takes it from the queue"


async def test_large_data_and_large_outputs_are_read_again_as_they_were(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        data = {"text": "ü" * 1_000_000, "list": list(range(50_000))}
        answer = await served.client.post("/v1/events", json={"type": "said.a", "data": data})
        assert answer.status_code == 202
        await served.work_off()
        record = (await served.client.get(answer.headers["location"])).json()
        assert record["event"]["data"] == data
        assert record["runs"]["hear"]["output"] == {"heard": data}
        assert "dataref" not in record["event"]
        assert "output_ref" not in record["runs"]["hear"]


@pytest.mark.parametrize("size_bytes", [199_000, 200_000, 200_001, 230_000, 256_000, 256_001])
async def test_a_body_over_the_size_of_a_message_is_read_like_a_smaller_one(tmp_path: Path, size_bytes: int) -> None:
    async with a_server(tmp_path) as served:
        start, end = b'{"type": "said.a", "data": "', b'"}'
        body = start + b"x" * (size_bytes - len(start) - len(end)) + end
        answer = await served.client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 202


async def test_another_event_under_the_same_id_does_not_replace_the_large_data_of_the_first(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        for letter in "ab":
            body = {"type": "said.a", "id": "e-1", "data": letter * 100_000}
            assert (await served.client.post("/v1/events", json=body)).status_code == 202
        await served.work_off()
        record = (await served.client.get("/v1/events/e-1")).json()
        assert record["status"] == "ok"
        assert record["event"]["data"] == "a" * 100_000


async def test_a_claim_check_of_the_senders_own_is_forged(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        body = {**CLOUD, "dataref": "vextir-blob:local~00/data?size=1&sha256=00"}
        del body["data"]
        found = problem(await served.client.post("/v1/events", json=body), 403)
        assert found["code"] == "VX204"


async def test_two_hundred_at_once_are_all_accepted_and_each_has_one_record(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        posts = [
            served.client.post("/v1/events", json={"type": "said.a", "id": f"e-{number}", "data": number})
            for number in range(200)
        ]
        answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {202}
        await served.work_off()
        records = await served.os.records()
        assert sorted(record["event"]["data"] for record in records) == list(range(200))


async def test_a_denied_event_is_refused_and_the_policy_named(tmp_path: Path) -> None:
    rules = (
        Policy(id="some", effect="allow", match=Match(action=("publish:said.*",))),
        Policy(
            id="no-noise", effect="deny", match=Match(action=("publish:said.noise",)), reason="Noise is not wanted."
        ),
    )
    async with a_server(tmp_path, policies=rules) as served:
        found = problem(await served.client.post("/v1/events", json={"type": "said.noise"}), 403)
        assert (found["code"], found["policy"]) == ("VX303", "no-noise")
        assert found["detail"] == "user:operator may not publish 'said.noise': Noise is not wanted."
        other = problem(await served.client.post("/v1/events", json={"type": "other.thing"}), 403)
        assert other["policy"] is None


async def test_of_a_batch_with_a_denied_event_none_is_accepted(tmp_path: Path) -> None:
    rules = (Policy(id="some", effect="allow", match=Match(action=("publish:said.*",))),)
    async with a_server(tmp_path, policies=rules) as served:
        problem(await served.client.post("/v1/events", json=[{"type": "said.a"}, {"type": "other.b"}]), 403)
        assert await served.os.kernel.queue.receive(1, 0) == ()


async def test_every_bad_event_of_a_batch_is_named_by_its_place(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        body = [{"type": "said.a"}, {"type": "NO"}, {"data": 1}]
        found = problem(await served.client.post("/v1/events", json=body), 400)
        assert found["detail"] == "2 problems found"
        assert [one["where"] for one in found["problems"]] == ["event 1", "event 2"]
        assert [one["code"] for one in found["problems"]] == ["VX201", "VX203"]


@pytest.mark.parametrize(
    ("body", "status", "code", "detail"),
    [
        pytest.param(b"", 400, "VX203", "not JSON: Expecting value at line 1 column 1", id="empty"),
        pytest.param(b"{", 400, "VX203", "not JSON: ", id="broken"),
        pytest.param(b'"text"', 400, "VX203", "no event: a JSON str, not an object", id="no-object"),
        pytest.param(b'{"type": "said.a", "data": NaN}', 400, "VX203", "not JSON: NaN", id="nan"),
        pytest.param(b'{"type": "a.b", "type": "a.c"}', 400, "VX203", "the key 'type' stands twice", id="twice"),
        pytest.param(b'{"type": "said.a", "date": 1}', 400, "VX203", "unknown field 'date'", id="unknown-field"),
        pytest.param(b'{"type": "said.\xff"}', 400, "VX203", "not UTF-8: byte 15", id="no-utf-8"),
        pytest.param(b'{"type": "said.a", "data": "\\ud800"}', 400, "VX203", "surrogate pair", id="surrogate"),
        pytest.param(b'{"\\ud800": 1, "type": "a"}', 400, "VX203", "", id="surrogate-in-a-name"),
        pytest.param(b'{"type": "said.a", "data": ' + b"[" * 99 + b"]" * 99 + b"}", 413, "VX202", "64", id="deep"),
        pytest.param(b"[" * 100_000, 413, "VX202", "nested deeper than 64 levels", id="very-deep"),
        pytest.param(b'{"type": "vextir.stop"}', 403, "VX204", "is reserved for the OS", id="reserved"),
        pytest.param(b'{"type": "said.a", "fence": 9}', 403, "VX204", "fence is written by the OS", id="forged"),
        pytest.param(b'[{"type": "a.b"}, {"type": "a", "rerun": 1}]', 403, "VX209", "1 problem", id="forged-in-batch"),
        pytest.param(b'{"type": "said.a", "id": "a\\nb"}', 400, "VX201", "does not print", id="line-break-in-id"),
    ],
)
async def test_what_is_no_event_is_refused_and_nothing_of_it_accepted(
    tmp_path: Path, body: bytes, status: int, code: str, detail: str
) -> None:
    async with a_server(tmp_path) as served:
        found = problem(await served.client.post("/v1/events", content=body, headers=JSON), status)
        assert found["code"] == code
        assert detail in found["detail"]
        assert await served.os.kernel.queue.receive(1, 0) == ()


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        pytest.param({}, "content type '' is not read here", id="none"),
        pytest.param({"Content-Type": "text/plain"}, "content type 'text/plain' is not read here", id="text"),
        pytest.param({"Content-Type": "text/json"}, "content type 'text/json' is not read here", id="text-json"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, "is not read here", id="form"),
        pytest.param({"Content-Type": "multipart/form-data; boundary=x"}, "is not read here", id="multipart"),
        pytest.param({**JSON, "Content-Encoding": "gzip"}, "content encoding 'gzip' is not read here", id="compressed"),
        pytest.param(
            {"Content-Type": "text/plain", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "a.b"},
            "content type 'text/plain' is not read here",
            id="binary-text",
        ),
    ],
)
async def test_only_json_is_read(tmp_path: Path, headers: dict[str, str], detail: str) -> None:
    async with a_server(tmp_path) as served:
        found = problem(await served.client.post("/v1/events", content=b'{"type": "a.b"}', headers=headers), 415)
        assert detail in found["detail"]


async def test_bytes_in_base64_are_read_as_what_their_type_says(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        body = {**CLOUD, "data_base64": base64.b64encode(b'{"n": 3}').decode()}
        del body["data"]
        headers = {"Content-Type": "application/cloudevents+json"}
        assert (await served.client.post("/v1/events", json=body, headers=headers)).status_code == 202
        await served.work_off()
        assert (await served.client.get("/v1/events/c-1")).json()["event"]["data"] == {"n": 3}
