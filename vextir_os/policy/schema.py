"""The form of a policy file as JSON Schema, for editors: made of what the reader checks by. Pure.

It refuses less than the reader: what a schema cannot say, such as an id that stands twice, the reader says alone. What
the reader takes the schema takes as well.
"""

from collections.abc import Iterable
from typing import Any

from vextir_os.events.limits import TYPE_CHARS
from vextir_os.events.names import PATTERN
from vextir_os.policy.cases import (
    CASE_KEYS,
    DRIVER_FIELDS,
    EVENT_KEYS,
    EXPECT_KEYS,
    GIVEN_KEYS,
    OUTCOMES,
    USER_KEYS,
)
from vextir_os.policy.grammar import VERBS
from vextir_os.policy.reader import EFFECTS, FILE_KEYS, ID, MATCH_CHECKS, MODES, POLICY_KEYS, PRIORITIES
from vextir_os.policy.selectors import DRIVER_KINDS, SELECTOR_CHARS, USER_KINDS

_TYPES = ("publish", "process", "emit", "call")
_PATHS = ("context.read", "context.write")

# Spaces of any kind are one space to the reader; other control characters are nobody's text.
_PROSE = "^[^\\u0000-\\u0008\\u000e-\\u001b\\u007f-\\u0084\\u0086-\\u009f]*$"

_MEANINGS = {
    "policies": "The rules. The highest priority that matches decides; within one priority, a deny.",
    "tests": "Requests, and what is to be decided about each; run by vextir policy test.",
    "given": "The request: its action, and what else is known of it.",
    "expect": "What has to be decided, and by which policy.",
    "development": "true: everything may be allowed, and the OS serves this machine only.",
    "id": "Lower-case name, unique among all policies.",
    "description": "What it is for, for those who read policies.",
    "priority": "0 to 1000; 100 by default. The highest that matches decides.",
    "effect": "What it does.",
    "match": "Which requests it is about: one of the texts in every key has to match.",
    "when": 'A condition that has to hold as well: event.data.amount < 500 and "untrusted" not in event.labels.',
    "mode": "shadow: decided with and told of, and changes nothing.",
    "reason": "What to tell whoever is denied; a sentence.",
    "action": "verb:resource, with globs: tool:mail/send, emit:order.*, context.read:/Research/**.",
    "event": "Type of the event that is handled, or a pattern. All by default.",
    "users": "ann, agent:*, role:support. Everybody by default.",
    "drivers": "research.agent, research.*, agent:*. With or without a driver by default.",
    "tenants": "acme, eu-*. All by default.",
}


def policy_schema() -> dict[str, Any]:
    """Return the schema."""
    return _mapping(
        FILE_KEYS,
        {
            "policies": {"type": "array", "items": _policy()},
            "tests": {"type": "array", "items": _case()},
            "development": {"type": "boolean"},
        },
    ) | {"type": ["object", "null"]}


def _policy() -> dict[str, Any]:
    prose = {"type": "string", "pattern": _PROSE}
    return _mapping(
        POLICY_KEYS,
        {
            "id": {"type": "string", "pattern": f"^(?:{ID.pattern})$"},
            "description": prose,
            "priority": {"type": "integer", "minimum": PRIORITIES[0], "maximum": PRIORITIES[-1], "default": 100},
            "effect": {"enum": list(EFFECTS)},
            "match": _match(),
            "when": {"type": "string"},
            "mode": {"enum": list(MODES), "default": "enforce"},
            "reason": prose,
        },
        needed=("id", "effect", "match"),
    )


def _case() -> dict[str, Any]:
    text, anything = {"type": "string"}, dict[str, Any]()
    named = {
        key: {"oneOf": [text, _mapping(keys, dict.fromkeys(keys, anything))]}
        for key, keys in (("user", USER_KEYS), ("driver", DRIVER_FIELDS))
    }
    given = {
        **dict.fromkeys(GIVEN_KEYS, anything),
        **named,
        "action": {"type": "string", "pattern": _action()},
        "event": _mapping(EVENT_KEYS, dict.fromkeys(EVENT_KEYS, anything) | {"type": text}, needed=("type",)),
        "tenant": text,
        "run": {"type": ["object", "null"]},
        "now": {"type": ["string", "null"]},
    }
    expect = {"effect": {"enum": list(OUTCOMES)}, "policy": text}
    return _mapping(
        CASE_KEYS,
        {
            "name": text,
            "given": _mapping(GIVEN_KEYS, given, needed=("action",)),
            "expect": _mapping(EXPECT_KEYS, expect, needed=("effect",)),
        },
        needed=CASE_KEYS,
    )


def _match() -> dict[str, Any]:
    texts = {
        "action": {"type": "string", "pattern": _action()},
        "event": {"type": "string", "maxLength": TYPE_CHARS, "pattern": f"^(?:{PATTERN.pattern})$"},
        "users": _selector(USER_KINDS),
        "drivers": _selector(DRIVER_KINDS),
        "tenants": _selector(()),
    }
    values = {key: {"oneOf": [text, {"type": "array", "minItems": 1, "items": text}]} for key, text in texts.items()}
    return _mapping(MATCH_CHECKS, values, needed=("action",))


def _mapping(keys: Iterable[str], values: dict[str, Any], needed: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": list(needed)} if needed else {}),
        "properties": {key: _described(key) | values[key] for key in keys},
    }


def _described(key: str) -> dict[str, Any]:
    return {"description": _MEANINGS[key]} if key in _MEANINGS else {}


def _action() -> str:
    """Return an expression that every action of the grammar matches, and few texts beside."""
    others = [verb for verb in VERBS if verb not in (*_TYPES, *_PATHS, "http")]
    forms = [
        f"(?:{'|'.join(_TYPES)}):(?:{PATTERN.pattern})",
        f"(?:{_either(_PATHS)}):/.*",
        "http:(?:[a-z0-9_:-]+|\\*\\*?)(?:\\.(?:[a-z0-9_:-]+|\\*\\*?))*",
        f"(?:{_either(others)}):[^ ]+",
    ]
    return f"^(?:{'|'.join(forms)})$"


def _either(verbs: Iterable[str]) -> str:
    return "|".join(verb.replace(".", "\\.") for verb in verbs)


def _selector(kinds: Iterable[str]) -> dict[str, Any]:
    # A colon stands behind a kind alone.
    forms = ["[^:]+", *(f"{kind}:.+" for kind in kinds)]
    return {"type": "string", "maxLength": SELECTOR_CHARS, "pattern": f"^(?:{'|'.join(forms)})$"}
