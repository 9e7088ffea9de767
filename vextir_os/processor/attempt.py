"""One attempt of one driver: called under its time-out, its result checked, its events permitted and stamped.

Whatever a driver raises, returns or asks for becomes an outcome here, and so does trouble with its blobs.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from vextir_os.driverkit.beats import Beats
from vextir_os.driverkit.call import call_driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.outcome import normalise
from vextir_os.errors import NotPermittedError
from vextir_os.events import ids, jsonio
from vextir_os.events.codec import decode_one
from vextir_os.events.event import Event, merge_labels
from vextir_os.events.identity import user_of
from vextir_os.events.limits import inline_bytes
from vextir_os.events.names import is_reserved
from vextir_os.policy.grammar import permits
from vextir_os.policy.model import Request
from vextir_os.processor.intake import pack, pack_inline
from vextir_os.processor.turn import Parts, Turn
from vextir_os.processor.within import within
from vextir_os.runs.claimcheck import SCHEME, check_out, output_in
from vextir_os.runs.context import RunContext
from vextir_os.runs.failure import failure_of
from vextir_os.runs.keeper import Emit
from vextir_os.runs.lineage import descend, emitters
from vextir_os.runs.record import RecordDoc
from vextir_os.runs.transitions import Failure


class Done(NamedTuple):
    """A finished attempt: what its commit writes and publishes."""

    output: Any
    output_ref: str | None
    events: tuple[Event, ...]
    emits: tuple[Emit, ...]
    decisions: list[dict[str, Any]]


async def attempt(parts: Parts, turn: Turn, manifest: Manifest, record: RecordDoc) -> Done | Failure:
    """Run the driver once for the event of this turn; its run stands on the record.

    Raises:
        CancelledError: This worker is being stopped; the run's lease will die.
    """
    run = record["runs"][manifest.id]
    task = asyncio.current_task()
    try:
        event = _own_copy(turn, record)
        if event.dataref:
            event = await check_out(event, parts.blobs)
        beats = Beats() if manifest.heartbeat_s is not None else None
        context = RunContext(
            driver=manifest.id,
            event_id=event.id,
            principal=user_of(event.userid, event.tenantid),
            attempt=run["attempt"] + 1,
            rerun=run["rerun"],
            now=parts.desk.clock.time(),
            record=record["id"],
            correlation_id=event.correlationid,
            traceparent=_trace(parts, event, manifest, record),
            beats=beats,
        )
        if manifest.isolation == "inline":
            call = call_driver(parts.registry.load(manifest), event, context)
        else:
            call = await parts.hosts.call(parts.registry, manifest, event, context)
        returned = await within(call, manifest, parts.stops, record["id"], run["fence"], beats)
        result = normalise(returned, manifest.id)
        events, decisions = _permitted(parts, event, manifest, record, result.events) if result.events else ((), [])
        packed = []
        for emitted in events:
            message = pack_inline(emitted, parts.desk.signer, checked=True)
            packed.append(message or await pack(emitted, parts.desk.signer, parts.blobs, checked=True))
        output, reference = await output_in(
            record["id"],
            f"{manifest.id}.{run['rerun']}.output",
            result.output,
            parts.blobs,
            limit_bytes=inline_bytes(len(record["runs"])),
        )
    except BaseException as error:
        if _is_not_the_drivers(error, task):
            raise
        return failure_of(error, declared=manifest.errors, now=parts.desk.clock.time())
    emits = tuple(
        Emit(run=manifest.id, rerun=run["rerun"], n=index, message=message) for index, message in enumerate(packed)
    )
    return Done(output=output, output_ref=reference, events=events, emits=emits, decisions=decisions)


def _is_not_the_drivers(error: BaseException, task: "asyncio.Task[Any] | None") -> bool:
    """Whether we are stopped from outside. A driver may raise anything by itself, these included.

    Ctrl-C cannot be told from a driver that raises KeyboardInterrupt; both end the worker, and a run that ends its
    worker is counted at the claim.
    """
    if isinstance(error, asyncio.CancelledError):
        return task is not None and task.cancelling() > 0
    # A coroutine that is closed gets a GeneratorExit while its task does not run.
    return isinstance(error, KeyboardInterrupt) or (isinstance(error, GeneratorExit) and not _runs(task))


def _runs(task: "asyncio.Task[Any] | None") -> bool:
    try:
        return asyncio.current_task() is task
    except RuntimeError:
        return False


def _own_copy(turn: Turn, record: RecordDoc) -> Event:
    """Return an event that no other run of the record shares: a driver may change the data it is given."""
    if turn.event is not None and len(record["runs"]) == 1:
        return turn.event
    body = turn.event_json or jsonio.dumps(record["event"])
    return decode_one(body)


def _permitted(
    parts: Parts, event: Event, manifest: Manifest, record: RecordDoc, emitted: Sequence[Event]
) -> tuple[tuple[Event, ...], list[dict[str, Any]]]:
    """Return the events as they will be published, and the decision on each. Raises `NotPermittedError`, `StormError`.

    All of them or none: what a limit refuses publishes nothing of the run.
    """
    runs, rerun = record["runs"], record["runs"][manifest.id]["rerun"]
    able = (
        1
        if len(runs) == 1
        else emitters(parts.registry.find(name, each.get("version", "")) for name, each in runs.items())
    )
    lineage = descend(event.lineage, manifest.id, event.type, len(emitted), able, parts.limits)
    now = datetime.fromtimestamp(parts.desk.clock.time(), UTC)
    stamped, decisions = [], []
    for index, child in enumerate(emitted):
        decisions.append(_decide(parts, event, manifest, child, record))
        stamped.append(
            child.stamped(
                id=ids.emitted_id(event.tenantid, event.source, event.id, manifest.id, rerun, "end", index),
                source=f"/drivers/{manifest.id}",
                time=now,
                category="internal" if child.category == "input" else child.category,
                tenantid=event.tenantid,
                userid=event.userid,
                correlationid=event.correlationid,
                causationid=event.id,
                traceparent=_trace(parts, event, manifest, record),
                lineage=lineage,
                labels=merge_labels(event.labels, child.labels),
            )
        )
    return tuple(stamped), decisions


def _trace(parts: Parts, event: Event, manifest: Manifest, record: RecordDoc) -> str:
    """Return the `traceparent` of what the run does: the event's own, or where traces are collected the run's span."""
    if parts.spans is None:
        return event.traceparent
    run = record["runs"][manifest.id]
    return parts.spans.of_run(event.traceparent, record["id"], manifest.id, run["rerun"], run["fence"])


def _decide(parts: Parts, event: Event, manifest: Manifest, child: Event, record: RecordDoc) -> dict[str, Any]:
    action = f"emit:{child.type}"
    if is_reserved(child.type) or child.dataref.startswith(SCHEME):
        raise NotPermittedError(f"driver {manifest.id} emits {child.type!r}, which only the OS may")
    if not permits(manifest.permissions, action):
        raise NotPermittedError(
            f"driver {manifest.id} emits {child.type!r} without the permission",
            hint=f"Add {action!r} to its `permissions`",
            where=manifest.entry,
        )
    run = record["runs"][manifest.id]
    decision = parts.policy.decide(
        Request(
            verb="emit",
            resource=child.type,
            event_type=event.type,
            principal=user_of(event.userid, event.tenantid),
            driver=manifest.id,
            driver_kind=manifest.kind,
            # What was handed to the driver it may have changed since.
            event=lambda: decode_one(jsonio.dumps(record["event"])),
            args=child.data,
            run={"attempt": run["attempt"] + 1, "rerun": run["rerun"]},
            clock=parts.desk.clock.time,
            plain=True,
        )
    )
    if decision.effect != "allow":
        raise NotPermittedError(f"driver {manifest.id} may not emit {child.type!r}: {decision.reason}")
    return {"action": action, **decision.to_json()}
