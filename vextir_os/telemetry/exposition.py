"""From counts and gauges to what Prometheus reads. The one module with prometheus-client; import it late.

A scrape pays for all of it: every family is made anew from plain integers, in whatever thread the caller chooses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vextir_os.ports.gauges import Gauges
from vextir_os.telemetry.counts import SECONDS, Buckets, Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What one answer is made of.

    Attributes:
        counts: Of this process; may go on while they are read.
        gauges: Of the storage; None when it did not answer in time.
        now: The store's time, in epoch seconds.
        version: Of the OS.
    """

    counts: Counts
    gauges: Gauges | None
    now: float
    version: str


def expose(scrape: Scrape, accept: str) -> tuple[bytes, str]:
    """Return the text of all metrics and its content type: OpenMetrics where it is asked for, else Prometheus' own."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(_Families(scrape))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return encode(registry), content_type


class _Families(Collector):
    """All families of one scrape."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def describe(self) -> Iterable[Metric]:
        """Return nothing: no name is looked for before the scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield each family."""
        scrape = self._scrape
        yield _gauge("vextir_build_info", "Version of Vextir OS.", "version", {scrape.version: 1})
        yield from _events(scrape.counts)
        yield from _drivers(scrape.counts)
        yield from _work(scrape.counts)
        dropped = "Lines that the log had no room for."
        yield CounterMetricFamily("vextir_log_lines_dropped", dropped, value=scrape.counts.unlogged)
        yield GaugeMetricFamily(
            "vextir_storage_up", "Whether store and queue answered this scrape.", value=scrape.gauges is not None
        )
        if scrape.gauges is not None:
            yield from _storage(scrape.gauges, scrape.now)


def _events(counts: Counts) -> Iterator[Metric]:
    yield _counter("vextir_events_published", "Events that came in by an edge.", "type", counts.published)
    yield _counter("vextir_publishes_refused", "Requests to publish that were refused.", "code", counts.refused)
    yield CounterMetricFamily("vextir_events_admitted", "Records that were created.", value=counts.admitted)
    yield _counter("vextir_events_finished", "Events that are over.", "status", counts.finished)
    yield _histogram("vextir_event_latency_seconds", "From the queue to the end of an event.", {"": counts.latency})
    yield _histogram("vextir_queue_wait_seconds", "From the queue to the record of an event.", {"": counts.wait})
    decisions = CounterMetricFamily("vextir_policy_decisions", "Decisions of policy.", labels=("verb", "effect"))
    for (verb, effect), count in list(counts.decisions.items()):
        decisions.add_metric((verb, effect), count)
    yield decisions
    dead = "Messages that could not be read, and runs that failed for good."
    yield _counter("vextir_dead_letters", dead, "kind", counts.dead_letters)


def _drivers(counts: Counts) -> Iterator[Metric]:
    drivers = list(counts.drivers.items())
    runs = CounterMetricFamily("vextir_runs_finished", "Runs that ended for good.", labels=("driver", "state"))
    for name, driver in drivers:
        for state, count in list(driver.states.items()):
            runs.add_metric((name, state), count)
    yield runs
    durations = {name: driver.duration for name, driver in drivers}
    yield _histogram("vextir_run_duration_seconds", "Attempts of runs, from claim to commit.", durations, "driver")
    for metric, text, values in (
        ("vextir_run_retries", "Attempts that failed and are tried again.", {n: d.retries for n, d in drivers}),
        ("vextir_driver_unhealthy", "Questions that a driver answered as not well.", {n: d.unwell for n, d in drivers}),
        ("vextir_runs_lost", "Runs dropped since another worker had them.", {n: d.lost for n, d in drivers}),
        ("vextir_events_emitted", "Events that commits of runs published.", {n: d.emitted for n, d in drivers}),
    ):
        yield _counter(metric, text, "driver", values)


def _work(counts: Counts) -> Iterator[Metric]:
    yield CounterMetricFamily("vextir_deliveries_received", "Deliveries from the queue.", value=counts.received)
    again = "Deliveries that were not the first of their message."
    yield CounterMetricFamily("vextir_redeliveries", again, value=counts.again)
    yield _counter("vextir_deliveries", "What became of deliveries.", "settlement", counts.settled)
    at_work = max(counts.received - sum(list(counts.settled.values())), 0)
    yield GaugeMetricFamily("vextir_deliveries_in_progress", "Deliveries that are worked on.", value=at_work)
    missed = "Writes to records that were refused or not answered, and looked at again."
    yield _counter("vextir_record_writes_missed", missed, "reason", counts.missed)
    sweeps = counts.swept["sweeps"]
    yield CounterMetricFamily("vextir_sweeps", "Sweeps that were made.", value=sweeps)
    rest = {what: count for what, count in list(counts.swept.items()) if what != "sweeps"}
    yield _counter("vextir_swept", "What sweeps did.", "what", rest)


def _storage(gauges: Gauges, now: float) -> Iterator[Metric]:
    active = {queue.name: queue.messages["active"] for queue in gauges.queues}
    yield _gauge("vextir_queue_depth", "Messages that wait for a worker.", "queue", active)
    messages = GaugeMetricFamily("vextir_queue_messages", "Messages by state.", labels=("queue", "state"))
    for queue in gauges.queues:
        for state, count in queue.messages.items():
            messages.add_metric((queue.name, state), count)
    yield messages
    ages = {queue.name: max(now - queue.oldest_at, 0) if queue.oldest_at else 0 for queue in gauges.queues}
    yield _gauge("vextir_oldest_message_age_seconds", "Age of the oldest message that waits.", "queue", ages)
    yield _gauge("vextir_database_size_bytes", "Size of each file of the database.", "file", gauges.bytes_by_file)
    units = HistogramMetricFamily("vextir_store_group_units", "Units of work in one transaction of this process.")
    bounds = [str(float((1 << power) - 1)) for power in range(len(gauges.group_units))]
    units.add_metric((), _cumulative([*bounds, "+Inf"], [*gauges.group_units, 0]), gauges.units)
    yield units


def _counter(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in list(values.items()):
        family.add_metric((value,), count)
    return family


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family


def _histogram(name: str, text: str, values: Mapping[str, Buckets], label: str = "") -> Metric:
    family = HistogramMetricFamily(name, text, labels=(label,) if label else ())
    bounds = [*map(str, SECONDS), "+Inf"]
    for value, buckets in values.items():
        family.add_metric((value,) if label else (), _cumulative(bounds, list(buckets.counts)), buckets.total)
    return family


def _cumulative(bounds: list[str], counts: list[int]) -> list[tuple[str, float]]:
    found, total = list[tuple[str, float]](), 0
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        found.append((bound, total))
    return found
