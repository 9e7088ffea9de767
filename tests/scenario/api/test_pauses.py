"""Pausing and resuming over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import JSON, a_server, problem
from vextir_os.policy.model import Match, Policy

ASKED = {"kind": "driver", "name": "hear", "reason": "the relay is down", "for": "1h"}


async def test_what_is_paused_over_http_waits_until_it_is_resumed(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        paused = await served.client.post("/v1/pauses", json=ASKED)
        assert paused.status_code == 200
        entry = paused.json()
        assert entry == {
            "kind": "driver", "name": "hear", "by": "user:operator", "at": entry["at"], "until": entry["at"] + 3_600,
            "reason": "the relay is down",
        }  # fmt: skip
        assert (await served.client.get("/v1/pauses")).json() == {"pauses": [entry]}
        await served.client.post("/v1/events", json={"type": "said.a", "id": "e-1"})
        await served.work_off()
        run = (await served.client.get("/v1/events/e-1")).json()["runs"]["hear"]
        assert (run["state"], run["wait"]["on"]) == ("ready", "driver:hear")
        resumed = await served.client.post("/v1/pauses/driver/hear/resume", json={})
        assert (resumed.status_code, resumed.json()) == (200, {"knocked": 1})
        await served.work_off()
        assert (await served.client.get("/v1/events/e-1")).json()["runs"]["hear"]["state"] == "done"
        assert (await served.client.get("/v1/pauses")).json() == {"pauses": []}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({**ASKED, "kind": "drivr"}, "'drivr' is nothing that can be paused"),
        ({**ASKED, "name": "heer"}, "there is no driver `heer`"),
        ({**ASKED, "for": "soon"}, "for 'soon' is not a duration"),
        ({**ASKED, "for": "0s"}, "0 seconds are no time for a pause"),
        ({**ASKED, "for": 5}, "for is no text"),
        ({**ASKED, "by": "user:root"}, "unknown member `by`"),
        ({**ASKED, "reason": "\x1b[31m"}, "reason"),
        ({**ASKED, "kind": "tenant", "name": "../x"}, "'../x'"),
        ([], "the body is no JSON object"),
    ],
)
async def test_a_pause_that_cannot_be_made_is_refused_and_leaves_nothing(
    tmp_path: Path, body: Any, detail: str
) -> None:
    async with a_server(tmp_path) as served:
        assert detail in problem(await served.client.post("/v1/pauses", json=body), 400)["detail"]
        assert (await served.client.get("/v1/pauses")).json() == {"pauses": []}


async def test_what_is_not_paused_is_not_found(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        refused = await served.client.post("/v1/pauses/driver/hear/resume", json={})
        assert problem(refused, 404)["detail"] == "driver hear is not paused"


async def test_a_form_of_a_stranger_pauses_nothing(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        problem(await served.client.post("/v1/pauses", content=b"kind=tenant&name=local", headers=form), 415)
        stranger = {**JSON, "Origin": "https://evil.example"}
        problem(await served.client.post("/v1/pauses", json=ASKED, headers=stranger), 403)
        assert (await served.client.get("/v1/pauses")).json() == {"pauses": []}


@pytest.mark.parametrize("path", ["/v1/pauses", "/v1/pauses/driver/hear/resume"])
async def test_without_a_policy_nobody_pauses_or_resumes(tmp_path: Path, path: str) -> None:
    only = (Policy(id="work", effect="allow", match=Match(action=("publish:**", "process:**"))),)
    async with a_server(tmp_path, policies=only) as served:
        body = ASKED if path == "/v1/pauses" else {}
        assert problem(await served.client.post(path, json=body), 403)["code"] == "VX303"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/pauses"), ("POST", "/v1/pauses")])
async def test_without_the_key_nothing_is_told_or_done(tmp_path: Path, method: str, path: str) -> None:
    async with a_server(tmp_path, headers={}) as served:
        problem(await served.client.request(method, path, json=ASKED if method == "POST" else None), 401)
