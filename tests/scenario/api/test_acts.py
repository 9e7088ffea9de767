"""Acts over HTTP: who may send them, what they say, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import JSON, a_server, answer, problem
from tests.support.harness import ALLOW_ALL
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import ThrottledError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy


@driver("later", capabilities=["later.**"])
async def later(event: Event) -> None:
    raise ThrottledError("come back", retry_after_s=60)


async def test_a_cancel_is_answered_with_the_record(tmp_path: Path) -> None:
    async with a_server(tmp_path, later) as served:
        await served.client.post("/v1/events", json={"type": "later.now", "id": "a/b c"})
        await served.work_off()
        done = await served.client.post("/v1/events/a%2Fb%20c/cancel", json={"reason": "wrong customer"})
        assert done.status_code == 200
        found = (await served.client.get("/v1/events/a%2Fb%20c")).json()
        assert done.json() == found
        assert (found["status"], found["runs"]["later"]["state"]) == ("cancelled", "cancelled")
        assert (found["cancel"]["by"], found["cancel"]["reason"]) == ("user:operator", "wrong customer")
        assert [(act["do"], act["by"]) for act in found["acts"]] == [("cancel", "user:operator")]


async def test_an_event_that_is_not_there_is_a_404_unless_its_source_is_named(tmp_path: Path) -> None:
    async with a_server(tmp_path, later) as served:
        found = problem(await served.client.post("/v1/events/e-1/cancel", json={}), 404)
        assert found["detail"] == "there is no event `e-1`"
        await served.client.post("/v1/events", json={"type": "later.now", "id": "e-1"})
        done = await served.client.post("/v1/events/e-1/cancel", json={"source": "/api"})
        assert (done.status_code, done.json()["status"]) == (200, "cancelled")
        await served.work_off()
        assert (await served.client.get("/v1/events/e-1")).json() == done.json()


async def test_what_is_over_is_a_409(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        await served.client.post("/v1/events", json={"type": "said.one", "id": "e-1"})
        await served.work_off()
        found = problem(await served.client.post("/v1/events/e-1/cancel", json={}), 409)
        assert (found["code"], found["detail"]) == ("VX604", "event e-1 is over already: hear is done")


async def test_what_policy_denies_is_a_403_that_names_it(tmp_path: Path) -> None:
    deny = Policy(id="no-cancel", effect="deny", match=Match(action=("admin:cancel",)), priority=9, reason="Never.")
    async with a_server(tmp_path, later, policies=(*ALLOW_ALL, deny)) as served:
        await served.client.post("/v1/events", json={"type": "later.now", "id": "e-1"})
        await served.work_off()
        found = problem(await served.client.post("/v1/events/e-1/cancel", json={}), 403)
        assert (found["policy"], found["detail"]) == (
            "no-cancel",
            "user:operator may not cancel 'later.now': Never.",
        )
        assert (await served.client.get("/v1/events/e-1")).json()["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"reson": "x"}', "unknown member `reson`"),
        ('{"reason": 1}', "reason is no text"),
        ("[]", "the body is no JSON object"),
        ('{"reason": "a", "reason": "b"}', "the key 'reason' stands twice in one object"),
        ('{"reason": NaN}', "not JSON"),
        ("{", "not JSON"),
        ('{"by": "user:root"}', "unknown member `by`"),
        ('{"reason": "a\\u001b[31m"}', "reason"),
        ('{"reason": "\\ud800"}', "surrogate"),
    ],
)
async def test_a_body_that_says_something_else_is_refused(tmp_path: Path, body: str, detail: str) -> None:
    async with a_server(tmp_path, later) as served:
        await served.client.post("/v1/events", json={"type": "later.now", "id": "e-1"})
        await served.work_off()
        refused = await served.client.post("/v1/events/e-1/cancel", content=body, headers=JSON)
        assert detail in problem(refused, 400)["detail"]
        assert (await served.client.get("/v1/events/e-1")).json()["status"] == "queued"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param({"X_API_Key": ""}, 401, id="no-key"),
        pytest.param({"Host": "evil.example"}, 421, id="host"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="origin"),
        pytest.param({"Content_Type": "text/plain"}, 415, id="text"),
        pytest.param({"Content_Type": "application/x-www-form-urlencoded"}, 415, id="form"),
        pytest.param({"Content_Type": ""}, 415, id="no-type"),
        pytest.param({"Content_Length": "200001"}, 413, id="large"),
    ],
)
async def test_an_act_needs_what_every_request_needs(tmp_path: Path, given: dict[str, Any], status: int) -> None:
    async with a_server(tmp_path, later) as served:
        await served.client.post("/v1/events", json={"type": "later.now", "id": "e-1"})
        await served.work_off()
        headers = {"Content_Length": "2", **given}
        code, _ = answer(await served.raw(served.head("POST /v1/events/e-1/cancel", **headers) + b"{}"))
        assert code == status
        assert (await served.client.get("/v1/events/e-1")).json()["status"] == "queued"
