"""Planted faults in what an operator sees: secrets, forged lines, open doors, labels without bound. Data only."""

from tests.sabotage.planted import Planted

LOGS, TRACE = "scenario/test_logs.py", "scenario/test_traceparent.py"
METRICS, TRACES = "scenario/api/test_metrics.py", "scenario/test_traces.py"

OBSERVED = (
    Planted(
        "a secret that a driver logs is written",
        "telemetry/redact.py",
        "REDACTED if is_secret(_name(key)) else clean(item, depth + 1)",
        "clean(item, depth + 1)",
        (LOGS, "carries_its_ids"),
    ),
    Planted(
        "what a driver logs replaces the ids of its line",
        "telemetry/logs.py",
        'fields["fields"] = clean(bound["fields"])',
        'fields |= clean(bound["fields"])',
        (LOGS, "carries_its_ids"),
    ),
    Planted(
        "the log quotes what errors quote",
        "telemetry/telling.py",
        "        if quotes:\n            fields",
        "        if error:\n            fields",
        (LOGS, "quote_nothing"),
    ),
    Planted(
        "other libraries write into the log at any level",
        "telemetry/logs.py",
        "if record.levelno < logging.WARNING and not record.name.startswith(_OURS):",
        "if record.levelno < logging.DEBUG:",
        (LOGS, "other_libraries"),
    ),
    Planted(
        "open metrics are open to other machines",
        "api/app.py",
        'kernel.settings.metrics == "open" and not hosts',
        'kernel.settings.metrics == "open"',
        (METRICS, "other_machines"),
    ),
    Planted(
        "a sender makes up labels without end",
        "telemetry/counts.py",
        "if found is None and len(self) >= self._most:",
        "if found is None and len(self) < 0:",
        (METRICS, "makes_up_types"),
    ),
    Planted(
        "whatever says traceparent is one",
        "processor/intake.py",
        "traceparent=event.traceparent and clean_traceparent(event.traceparent),",
        "traceparent=event.traceparent,",
        (TRACE, "foreign_message"),
    ),
    Planted(
        "a driver says which trace its events belong to",
        "processor/attempt.py",
        "traceparent=_trace(parts, event, manifest, record),\n                lineage",
        "traceparent=child.traceparent,\n                lineage",
        (TRACE, "whatever_a_driver_writes"),
    ),
    Planted(
        "a repeated run takes over the span of the one before",
        "telemetry/spans.py",
        "str(rerun), str(fence), what",
        "str(rerun), what",
        (TRACES, "every_attempt"),
    ),
)  # fmt: skip
