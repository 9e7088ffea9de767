"""`traceparent` at the HTTP edge: taken when it is one, from the request or from the event itself."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import a_server

MINE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00"


@pytest.mark.parametrize(
    ("headers", "own", "kept"),
    [
        pytest.param([("traceparent", MINE)], None, MINE, id="of-the-request"),
        pytest.param([], MINE, MINE, id="of-the-event"),
        pytest.param([("traceparent", OTHER)], MINE, MINE, id="the-events-own-wins"),
        pytest.param([("traceparent", "00-bad")], None, None, id="bad-in-the-request"),
        pytest.param([], "00-0000-0000-01", None, id="bad-in-the-event"),
        pytest.param([("traceparent", MINE), ("traceparent", OTHER)], None, None, id="two-of-them"),
    ],
)
async def test_a_traceparent_is_taken_or_left_out(
    tmp_path: Path, headers: list[tuple[str, str]], own: str | None, kept: str | None
) -> None:
    event: dict[str, Any] = {"type": "said.a", "id": "e-1"} | ({} if own is None else {"traceparent": own})
    async with a_server(tmp_path) as served:
        given = [(name.encode(), value.encode()) for name, value in headers]
        accepted = await served.client.post("/v1/events", json=event, headers=given)
        assert accepted.status_code == 202
        await served.work_off()
        record = (await served.client.get("/v1/events/e-1")).json()
        assert record["event"].get("traceparent") == kept


async def test_a_cloudevent_brings_its_own_as_the_extension(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = {
            "ce-type": "said.a",
            "ce-id": "e-1",
            "ce-source": "/x",
            "ce-specversion": "1.0",
            "ce-traceparent": MINE,
        }
        assert (await served.client.post("/v1/events", json={}, headers=headers)).status_code == 202
        await served.work_off()
        assert (await served.client.get("/v1/events/e-1")).json()["event"]["traceparent"] == MINE


async def test_a_request_that_is_sent_again_in_another_trace_is_the_same_request(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        for trace in (MINE, OTHER):
            headers = {"Idempotency-Key": '"k-1"', "traceparent": trace}
            answer = await served.client.post("/v1/events", json={"type": "said.a"}, headers=headers)
            assert answer.status_code == 202
