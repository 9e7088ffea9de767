"""Whether parts of a record that come from elsewhere have the shape that readers and people's views count on. Pure."""

import math
from collections.abc import Callable
from typing import Any, get_args

from vextir_os.runs.record import CLOCK_SKEW_S, FINAL, Do

_EFFECTS = ("allow", "deny", "require_approval", "defer")
_ACTS = get_args(Do)
_CODE_CHARS = 64
_ERROR_TEXTS = ("class", "code", "kind", "message", "traceback")
_STEP_STATES = ("open", "done")


def is_time(value: Any, now: float) -> bool:
    """Whether it is a time in the past, in epoch seconds."""
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= now + CLOCK_SKEW_S


def is_final(run: Any) -> bool:
    """Whether it is an object that says of itself to be a run that is over."""
    return type(run) is dict and type(run.get("state")) is str and run["state"] in FINAL


def is_decision(value: Any) -> bool:
    """Whether it is what policy once answered."""
    return (
        type(value) is dict
        and value.get("effect") in _EFFECTS
        and "policy_id" in value
        and all(type(value.get(name)) in (str, type(None)) for name in ("policy_id", "reason", "action", "bundle_hash"))
    )


def is_run(value: Any, now: float) -> bool:
    """Whether it is a run that is over."""
    return (
        is_final(value)
        and all(_is_count(value.get(name)) for name in ("attempt", "rerun", "takeovers", "fence"))
        and all(value.get(name) is None or is_time(value[name], now) for name in ("started", "ended"))
        and all(type(value.get(name, "")) is str for name in ("version", "began_with"))
        and _are(value.get("steps"), _is_step)
        and _are(value.get("decisions"), is_decision)
        and are_texts(value.get("hashes"))
        and (value.get("error") is None or _is_error(value["error"], now))
    )


def is_act(value: Any, now: float) -> bool:
    """Whether it is what a person once did, without the id of the request."""
    return (
        type(value) is dict
        and value.get("do") in _ACTS
        and all(type(value.get(name)) is str for name in ("by", "reason"))
        and is_time(value.get("at"), now)
        and all(type(value.get(name, "")) is str for name in ("run", "event"))
        and _is_count(value.get("rerun", 0))
        and value.keys() <= {"do", "by", "at", "reason", "run", "rerun", "event"}
    )


def is_cancel(value: Any, now: float) -> bool:
    """Whether it is a cancellation."""
    return (
        type(value) is dict
        and all(type(value.get(name)) is str for name in ("by", "reason"))
        and is_time(value.get("at"), now)
        and _are(value.get("runs"), lambda name: type(name) is str)
        and _are(value.get("in_doubt"), _is_doubt)
    )


def are_texts(value: Any) -> bool:
    """Whether it is an object of texts."""
    return type(value) is dict and all(type(text) is str for text in value.values())


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_step(value: Any) -> bool:
    return (
        type(value) is dict
        and _is_count(value.get("n"))
        and type(value.get("name")) is str
        and value.get("state") in _STEP_STATES
    )


def _is_doubt(value: Any) -> bool:
    return (
        type(value) is dict
        and type(value.get("run")) is str
        and _is_count(value.get("n"))
        and type(value.get("name")) is str
    )


def _is_error(value: Any, now: float) -> bool:
    return (
        type(value) is dict
        and all(type(value.get(name, "")) is str for name in _ERROR_TEXTS)
        and _is_code(value.get("code", ""))
        and _are(value.get("tried", []), lambda one: _is_tried(one, now))
    )


def _is_code(value: str) -> bool:
    # Drivers have codes of their own beside ours.
    return len(value) <= _CODE_CHARS and value.isprintable()


def _is_tried(value: Any, now: float) -> bool:
    return (
        type(value) is dict
        and _is_count(value.get("attempt"))
        and is_time(value.get("at"), now)
        and all(type(value.get(name, "")) is str for name in _ERROR_TEXTS)
        and _is_code(value.get("code", ""))
        and (value.get("delay_s") is None or type(value["delay_s"]) in (int, float))
    )


def _are(value: Any, is_one: Callable[[Any], bool]) -> bool:
    return type(value) is list and all(is_one(one) for one in value)
