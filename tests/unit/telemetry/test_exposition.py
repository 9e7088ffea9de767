"""The text of the metrics: read back by Prometheus' own parsers, whatever a label holds."""

from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from vextir_os.ports.gauges import Gauges, QueueGauge
from vextir_os.telemetry.counts import Counts
from vextir_os.telemetry.exposition import Scrape, expose

GAUGES = Gauges(
    queues=[
        QueueGauge(
            name="events", messages={"active": 3, "locked": 1, "scheduled": 2, "deferred": 0}, oldest_at=1_000.0
        ),
        QueueGauge(name="slow", messages={"active": 0, "locked": 0, "scheduled": 0, "deferred": 0}, oldest_at=None),
    ],
    bytes_by_file={"data": 4096},
    group_units=(1, 2, 4, 0),
    units=11,
)


def scrape(counts: Counts, gauges: Gauges | None = GAUGES) -> Scrape:
    return Scrape(counts=counts, gauges=gauges, now=1_060.0, version="1.2.3")


def samples(text: bytes, read: Any = read_text) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in read(text.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("accept", "content_type", "read"),
    [
        pytest.param("", "text/plain; version=0.0.4; charset=utf-8", read_text, id="anything"),
        pytest.param(
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            read_openmetrics,
            id="openmetrics",
        ),
    ],
)
def test_both_formats_are_read_by_their_parsers(accept: str, content_type: str, read: Any) -> None:
    counts = Counts()
    counts.published.add("order.placed")
    text, said = expose(scrape(counts), accept)
    assert said == content_type
    assert samples(text, read)["vextir_events_published_total", (("type", "order.placed"),)] == 1


def test_queues_show_their_depth_and_the_age_of_the_oldest_that_waits() -> None:
    found = samples(expose(scrape(Counts()), "")[0])
    assert found["vextir_queue_depth", (("queue", "events"),)] == 3
    assert found["vextir_queue_messages", (("queue", "events"), ("state", "scheduled"))] == 2
    assert found["vextir_oldest_message_age_seconds", (("queue", "events"),)] == 60
    assert found["vextir_oldest_message_age_seconds", (("queue", "slow"),)] == 0
    assert found["vextir_database_size_bytes", (("file", "data"),)] == 4096


def test_a_histogram_adds_up() -> None:
    counts = Counts()
    for seconds in (0.004, 0.004, 2.0, 9_999.0):
        counts.driver("shop").duration.add(seconds)
    found = samples(expose(scrape(counts), "")[0])
    name = "vextir_run_duration_seconds"
    shop = ("driver", "shop")
    buckets = [found[f"{name}_bucket", (shop, ("le", bound))] for bound in ("0.0025", "0.005", "2.5", "+Inf")]
    assert buckets == [0, 2, 3, 4]
    assert (found[f"{name}_count", (shop,)], found[f"{name}_sum", (shop,)]) == (4, 10_001.008)


def test_the_units_of_a_group_are_counted_by_powers_of_two() -> None:
    found = samples(expose(scrape(Counts()), "")[0])
    name = "vextir_store_group_units"
    assert [found[f"{name}_bucket", (("le", bound),)] for bound in ("0.0", "1.0", "3.0", "7.0", "+Inf")] == [
        1, 3, 7, 7, 7
    ]  # fmt: skip
    assert found[f"{name}_sum", ()] == 11


def test_no_label_can_forge_a_line() -> None:
    counts = Counts()
    evil = 'a"} 1\nvextir_dead_letters_total{kind="run"} 99\n\\'
    counts.driver(evil).lost += 1
    text = expose(scrape(counts), "")[0]
    found = samples(text)
    assert found["vextir_runs_lost_total", (("driver", evil),)] == 1
    assert found["vextir_dead_letters_total", (("kind", "run"),)] == 0


def test_a_storage_that_does_not_answer_is_said_to_be_down_and_the_rest_is_there() -> None:
    found = samples(expose(scrape(Counts(), None), "")[0])
    assert found["vextir_storage_up", ()] == 0
    assert found["vextir_build_info", (("version", "1.2.3"),)] == 1
    assert not [name for name, _ in found if name.startswith("vextir_queue_depth")]
    assert found["process_resident_memory_bytes", ()] > 0
