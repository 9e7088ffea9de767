"""Drivers over HTTP: the list, off and on, weights."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import a_server, problem


async def test_a_driver_is_turned_off_and_on_over_http(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        [listed] = (await served.client.get("/v1/drivers")).json()["drivers"]
        assert (listed["id"], listed["version"], listed["share"], listed["off"]) == ("hear", "1", 1.0, None)
        off = await served.client.post("/v1/drivers/hear/off", json={"reason": "the relay is down"})
        assert off.status_code == 200
        assert off.json() == {"by": "user:operator", "at": off.json()["at"], "reason": "the relay is down"}
        assert (await served.client.get("/v1/drivers")).json()["drivers"][0]["off"] == off.json()
        await served.client.post("/v1/events", json={"type": "said.a", "id": "e-1"})
        await served.work_off()
        seen = (await served.client.get("/v1/events/e-1")).json()
        assert (seen["status"], seen["left_out"]) == (
            "unrouted",
            {"hear": "driver hear was turned off by user:operator: the relay is down"},
        )
        assert (await served.client.post("/v1/drivers/hear/on", json={})).json() == {"off": None}
        assert problem(await served.client.post("/v1/drivers/hear/on", json={}), 404)["detail"] == (
            "driver hear is not off"
        )


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("heer/off", {}, 404, "there is no driver `heer`"),
        ("hear/off", {"reason": "\x1b[31m"}, 400, "reason"),
        ("hear/off", {"by": "user:root"}, 400, "unknown member `by`"),
        ("hear/weights", {}, 400, "weights is no object"),
        ("hear/weights", {"weights": {"1": 10}}, 409, "driver hear has one version"),
        ("heer/weights", {"weights": {}}, 404, "there is no driver `heer`"),
    ],
)
async def test_what_cannot_be_switched_is_refused(
    tmp_path: Path, path: str, body: Any, status: int, detail: str
) -> None:
    async with a_server(tmp_path) as served:
        assert detail in problem(await served.client.post(f"/v1/drivers/{path}", json=body), status)["detail"]
        assert (await served.client.get("/v1/drivers")).json()["drivers"][0]["off"] is None
