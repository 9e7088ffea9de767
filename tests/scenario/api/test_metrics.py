"""`/metrics`: who may read it, in which format, and that nothing from outside makes it large or slow."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.scenario.api.serving import KEY, Served, a_server, problem
from tests.support.clock import FakeClock
from vextir_os.errors import StoreUnavailableError
from vextir_os.events.event import Event
from vextir_os.ports.gauges import Gauges
from vextir_os.telemetry.counts import TYPES, Counts
from vextir_os.telemetry.sharing import COUNTS, shared


async def read(served: Served, **headers: str) -> dict[str, dict[str, float]]:
    """Return the samples by name, then by their label values."""
    response = await served.client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = ",".join(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def test_an_events_way_shows_in_the_metrics(tmp_path: Path) -> None:
    clock = FakeClock()
    async with a_server(tmp_path, clock=clock) as served:
        await served.client.post("/v1/events", json=[{"type": "said.a"}, {"type": "unheard.of"}])
        clock.advance(2)
        waiting = await read(served)
        assert waiting["vextir_queue_depth"]["events"] == 2
        assert waiting["vextir_oldest_message_age_seconds"]["events"] == 2
        await served.work_off()
        found = await read(served)
        assert found["vextir_queue_depth"]["events"] == 0
        assert found["vextir_events_published_total"] == {"said.a": 1, "unheard.of": 1}
        assert found["vextir_runs_finished_total"] == {"hear,done": 1, "hear,dead": 0}
        assert found["vextir_events_finished_total"]["unrouted"] == 1
        assert found["vextir_policy_decisions_total"] == {"allow,publish": 2, "allow,process": 2}
        assert found["vextir_queue_wait_seconds_sum"][""] == 4
        assert found["vextir_database_size_bytes"]["data"] > 0


async def test_what_worker_processes_count_is_in_them_and_what_an_earlier_start_left_is_not(tmp_path: Path) -> None:
    counts = Counts(admitted=7)
    (tmp_path / "data").mkdir()
    async with shared(tmp_path / "data" / COUNTS, "of-an-earlier-start", counts):
        pass
    async with a_server(tmp_path) as served:
        async with shared(tmp_path / "data" / COUNTS, "a-worker", counts):
            pass
        assert (await read(served))["vextir_events_admitted_total"][""] == 7


async def test_without_the_key_nothing_is_told(tmp_path: Path) -> None:
    async with a_server(tmp_path, headers={}) as served:
        found = problem(await served.client.get("/metrics"), 401)
        assert found["detail"] == "the request has no key"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_setting_opens_them_to_programs_of_this_machine(tmp_path: Path, method: str) -> None:
    async with a_server(tmp_path, headers={}, metrics="open") as served:
        assert (await served.client.request(method, "/metrics")).status_code == 200
        assert (await served.client.get("/v1/openapi.json")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Host": "evil.example"}, 421, id="rebound-name"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="page-of-a-stranger"),
    ],
)
async def test_open_metrics_are_not_for_pages_of_strangers(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with a_server(tmp_path, headers={}, metrics="open") as served:
        problem(await served.client.get("/metrics", headers=headers), status)


async def test_where_other_machines_are_served_the_key_is_asked_for_whatever_the_setting_says(tmp_path: Path) -> None:
    async with a_server(tmp_path, headers={}, metrics="open", hosts=("vextir.example.com",)) as served:
        problem(await served.client.get("/metrics"), 401)


async def test_the_format_is_the_one_that_is_accepted(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
        response = await served.client.get("/metrics", headers=accept)
        assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert response.text.endswith("# EOF\n")


async def test_a_sender_that_makes_up_types_does_not_make_the_metrics_large(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        events = [{"type": f"made.up{number}"} for number in range(TYPES + 40)]
        assert (await served.client.post("/v1/events", json=events)).status_code == 202
        published = (await read(served))["vextir_events_published_total"]
        assert (len(published), published["other"]) == (TYPES + 1, 40)


async def test_a_request_that_is_refused_shows_by_its_code(tmp_path: Path) -> None:
    async with a_server(tmp_path, policies=()) as served:
        problem(await served.client.post("/v1/events", json={"type": "said.a"}), 403)
        found = await read(served)
        assert found["vextir_publishes_refused_total"] == {"VX303": 1}
        assert found["vextir_policy_decisions_total"] == {"deny,publish": 1}


async def test_a_storage_that_does_not_answer_leaves_the_counts_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_self: Any) -> Gauges:
        raise StoreUnavailableError("the database is locked")

    async with a_server(tmp_path) as served:
        await served.os.publish(Event(type="said.a"))
        monkeypatch.setattr(type(served.os.kernel.storage), "gauges", down)
        found = await read(served)
        assert (found["vextir_storage_up"][""], found["vextir_events_published_total"]["said.a"]) == (0, 1)
        assert "vextir_queue_depth" not in found


async def test_the_key_is_in_no_metric(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        assert KEY not in (await served.client.get("/metrics")).text
