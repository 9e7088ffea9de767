"""429: when there is no room, a request is refused before its body is read, and told when to come back."""

from pathlib import Path

from tests.scenario.api.serving import JSON, a_server, answer, problem
from tests.support.clock import FakeClock

EVENT = {"type": "said.a"}


async def test_over_its_bound_the_queue_answers_429_with_a_time_to_come_back(tmp_path: Path) -> None:
    clock = FakeClock()
    async with a_server(tmp_path, clock=clock, max_queue_depth=2) as served:
        assert (await served.client.post("/v1/events", json=[EVENT] * 3)).status_code == 202
        clock.advance(1)
        refused = await served.client.post("/v1/events", json=EVENT, headers={"Idempotency-Key": "k-1"})
        assert problem(refused, 429) == {
            "type": "about:blank",
            "title": "Too Many Requests",
            "status": 429,
            "code": "VX514",
            "detail": "too many events wait on the queue; nothing was accepted",
            "hint": "Send again in 5 s",
        }
        assert refused.headers["Retry-After"] == "5"
        assert (await served.client.get("/v1/health")).status_code == 200
        await served.work_off()
        clock.advance(1)
        again = await served.client.post("/v1/events", json={"type": "said.b"}, headers={"Idempotency-Key": "k-1"})
        assert again.status_code == 202, "a refused request has not used its key"


async def test_a_full_disk_is_told_without_its_numbers(tmp_path: Path) -> None:
    async with a_server(tmp_path, min_free_disk=10**18) as served:
        found = problem(await served.client.post("/v1/events", json=EVENT), 429)
        assert (found["code"], found["detail"]) == ("VX515", "the disk is too full; nothing was accepted")
        assert "MB" not in found["hint"]


async def test_who_is_refused_need_not_send_the_body(tmp_path: Path) -> None:
    async with a_server(tmp_path, min_free_disk=10**18) as served:
        head = served.head(Content_Length="60000000", Expect="100-continue", **{"Content-Type": JSON["Content-Type"]})
        status, _ = answer(await served.raw(head))
        assert status == 429


async def test_who_has_no_key_is_not_told_how_full_it_is(tmp_path: Path) -> None:
    async with a_server(tmp_path, min_free_disk=10**18, headers={}) as served:
        problem(await served.client.post("/v1/events", json=EVENT), 401)
