"""What the API says of itself: the parts of its OpenAPI document that cannot be read off the code. Constants only."""

from typing import Any

_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: VX203."},
        "detail": _TEXT,
        "hint": {"type": "string", "description": "What to do."},
        "policy": {"type": ["string", "null"], "description": "Who denies: the id of a policy; null when none allows."},
        "problems": {"type": "array", "items": _OBJECT, "description": "Each bad event of a batch."},
    },
}

EVENT: dict[str, Any] = {
    "type": "object",
    "description": "The plain form, or a CloudEvent when it has a `specversion`.",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "maxLength": 128, "example": "mail.received"},
        "data": {"description": "Any JSON."},
        "id": {"type": "string", "description": "Minted when it is missing."},
        "source": {"type": "string", "default": "/api"},
        "specversion": {"type": "string", "const": "1.0"},
        "subject": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "correlationid": _TEXT,
        "partitionkey": _TEXT,
        "ordered": {"type": "boolean", "description": "In the order of sending, within its partitionkey."},
        "priority": {"type": "integer", "minimum": 0, "maximum": 9},
        "labels": {"type": "string", "description": "Comma separated."},
    },
}

ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "events": {
            "type": "array",
            "items": {"type": "object", "required": ["id", "type"], "properties": {"id": _TEXT, "type": _TEXT}},
        }
    },
}

RECORD: dict[str, Any] = {
    "type": "object",
    "required": ["id", "type", "source", "status", "created", "event", "decision", "runs"],
    "properties": {
        "id": _TEXT,
        "type": _TEXT,
        "source": _TEXT,
        "status": {"enum": ["ok", "running", "waiting", "queued", "failed", "denied", "cancelled", "unrouted"]},
        "created": {"type": "number", "description": "Epoch seconds."},
        "event": {"type": "object", "description": "The event as CloudEvents JSON."},
        "decision": _OBJECT,
        "runs": {"type": "object", "additionalProperties": _OBJECT, "description": "By the id of the driver."},
    },
}

DEAD_LETTER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "kind", "state", "at", "fingerprint", "class", "code", "message"],
    "properties": {
        "id": _TEXT,
        "kind": {"enum": ["run", "message"]},
        "state": {"enum": ["open", "replayed", "edited", "discarded"]},
        "at": {"type": "number", "description": "Epoch seconds."},
        "fingerprint": {"type": "string", "description": "The same for the same error."},
        "class": _TEXT,
        "code": _TEXT,
        "message": _TEXT,
        "driver": _TEXT,
        "type": _TEXT,
        "event": {"type": "string", "description": "Id of the event."},
        "rerun": {"type": "integer"},
        "attempts": {"type": "integer"},
        "error": {"type": "object", "description": "With `traceback`, and `tried`: the attempts."},
        "closed": {"type": "object", "description": "What was done with it: by, at, reason."},
    },
}

RUN: dict[str, Any] = {
    "type": "object",
    "required": ["event", "type", "driver", "status", "state", "attempt", "rerun", "error"],
    "properties": {
        "event": {"type": "string", "description": "Id of the event."},
        "type": _TEXT,
        "driver": _TEXT,
        "state": _TEXT,
        "attempt": {"type": "integer"},
        "rerun": {"type": "integer"},
        "error": {"type": "string", "description": "Class of what failed last."},
    },
}

HEALTH: dict[str, Any] = {
    "type": "object",
    "required": ["status", "version"],
    "properties": {"status": {"enum": ["ok", "unavailable"]}, "version": _TEXT},
}

METRICS: dict[str, Any] = {"type": "string", "description": "Prometheus text; OpenMetrics where it is accepted."}

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def answer(description: str, schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    """Return an answer as OpenAPI writes it."""
    return {"description": description, "content": {media: {"schema": schema}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals of a route, by status."""
    return {status: answer("Refused", PROBLEM, "application/problem+json") for status in statuses}


def page_of(name: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return a page of a list; it may be short, or empty, and still have a next one."""
    after = {"type": "string", "description": "Ask for the next page with it; empty on the last one."}
    return {
        "type": "object",
        "required": [name, "next"],
        "properties": {name: {"type": "array", "items": item}, "next": after},
    }


PUBLISH: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": 257},
            "description": "Ids of events that have none are derived from it: the same request again makes no new one.",
        }
    ],
    "requestBody": {
        "required": True,
        "description": "Binary mode, attributes as `ce-*` headers and data as the body, is read as well.",
        "content": {
            "application/json": {"schema": {"oneOf": [EVENT, {"type": "array", "items": EVENT}]}},
            "application/cloudevents+json": {"schema": EVENT},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": EVENT}},
        },
    },
}
