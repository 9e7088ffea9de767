"""The guide to observing names every metric that there is, with its labels."""

import re

from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import ROOT
from vextir_os.ports.gauges import Gauges, QueueGauge
from vextir_os.telemetry.counts import DRIVERS, TYPES, Counts
from vextir_os.telemetry.exposition import Scrape, expose

PAGE = (ROOT / "docs" / "guides" / "observing.md").read_text(encoding="utf-8")


def exposed() -> dict[str, set[str]]:
    """Return the labels of each metric of ours, once everything there is has been counted."""
    counts = Counts()
    counts.published.add("a")
    counts.refused.add("VX000")
    counts.decided("publish", "allow")
    counts.driver("a").duration.add(1)
    queue = QueueGauge(name="q", messages={"active": 1}, oldest_at=1.0)
    gauges = Gauges(queues=[queue], bytes_by_file={"data": 1}, group_units=(1,), units=0)
    text, _ = expose(Scrape(counts=counts, gauges=gauges, now=2.0, version="1"), "")
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    return {name: labels for name, labels in found.items() if name.startswith("vextir_")}


def test_the_guide_names_every_metric_with_its_labels() -> None:
    told: dict[str, set[str]] = {}
    for names, labels in re.findall(r"^\| (`vextir_[^|]+) \|([^|]*)\|", PAGE, re.MULTILINE):
        told |= {name: set(re.findall(r"`(\w+)`", labels)) for name in re.findall(r"`(\w+)`", names)}
    told["vextir_sweeps_total"] = set()
    assert told == exposed()


def test_the_guide_names_the_bounds_of_labels() -> None:
    assert f"after {TYPES} event types\nand {DRIVERS} drivers the rest counts as `other`" in PAGE
