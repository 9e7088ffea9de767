"""What a manifest may hold: every rule that can be judged from the value alone. Pure.

Not here: the grammar of permissions, which the registry checks with the policy engine's own parser.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from vextir_os.driverkit.manifest import Delivery, DriverKind, Isolation, Manifest, OnPoison, RetriedKind, Retry
from vextir_os.errors import EventError, Kind, did_you_mean, shown
from vextir_os.events.names import check_pattern, check_type

CAPABILITIES = 32
"""Capabilities of one driver, at most."""

PERMISSIONS = 256
"""Permissions of one driver, at most."""

ID_CHARS = 64
"""Characters of a driver id, at most: ids are part of message ids, which the queue bounds."""

TIMEOUT_S = 3600.0
"""Longest turn that a driver may ask for, in seconds."""

MEMORY_BYTES = (1_000_000, 64_000_000_000)
"""Memory limit that a driver may ask for, from and to."""

PROCESSES = 1_000
"""Further processes that a driver may ask for."""

ENV = 32
"""Environment variables that a driver may ask for."""

ERRORS = 64
"""Exceptions that one driver may give a meaning, at most."""

_EXCEPTION = re.compile(r"[^\W\d]\w{0,63}(?:\.[^\W\d]\w{0,63}){0,7}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_SECRET = re.compile(
    r"^(VEXTIR|AZURE|AWS|GOOGLE|GCP|GCLOUD|AZUREML|IDENTITY|MSI|ARM|LD|DYLD|PYTHON|COSMOS|SERVICEBUS)_"
    r"|KEY|SECRET|TOKEN|PASSW|CREDENTIAL|CONNECTION_?STR|^ANTHROPIC|^OPENAI|_DSN$|COOKIE|SESSION|_PAT$",
    re.ASCII | re.IGNORECASE,
)
_TEXT_CHARS = {"version": 64, "description": 1_000}
_CHOICES = {
    "kind": get_args(DriverKind),
    "isolation": get_args(Isolation),
    "delivery": get_args(Delivery),
    "on_poison": get_args(OnPoison),
}


Problem = tuple[str, str]
"""What is wrong, and a hint; the hint may be empty."""


def manifest_problems(manifest: Manifest) -> list[Problem]:
    """Return everything that is wrong with a manifest; nothing when it may be used.

    Its values may be of any type: what is wrong is said, not assumed.
    """
    return [
        *_id_problems(manifest.id),
        *_choice_problems(manifest),
        *_pattern_problems(manifest.capabilities),
        *_list_problems("permissions", manifest.permissions, PERMISSIONS),
        *_limit_problems(manifest),
        *_process_problems(manifest),
        *_retry_problems("retry", manifest.retry),
        *_error_problems(manifest.errors),
        *_text_problems(manifest),
    ]


def _id_problems(driver_id: Any) -> Iterator[Problem]:
    if not isinstance(driver_id, str) or not driver_id:
        yield "it has no id", 'Write the id first: @driver("mail.reader", ...)'
        return
    try:
        check_type(driver_id)
    except EventError:
        hint = "Write it as `mail.reader`: segments of a-z, 0-9, `_`, `-`, with dots between"
        yield "the id is not a dotted lower-case name", hint
    if len(driver_id) > ID_CHARS:
        yield f"the id has {len(driver_id)} characters, at most {ID_CHARS} are allowed", "Choose a shorter one"


def _choice_problems(manifest: Manifest) -> Iterator[Problem]:
    for option, choices in _CHOICES.items():
        value: Any = getattr(manifest, option)
        if value not in choices:
            known = ", ".join(f"`{choice}`" for choice in choices)
            yield f"unknown {option} `{value}`", did_you_mean(str(value), choices) or f"It is one of {known}"


def _pattern_problems(capabilities: Any) -> Iterator[Problem]:
    if capabilities == ():
        yield "it has no capabilities", 'Name the event types it handles: capabilities=["mail.received"]'
        return
    problems = list(_list_problems("capabilities", capabilities, CAPABILITIES))
    yield from problems
    if problems:
        return
    for capability in capabilities:
        try:
            check_pattern(capability)
        except EventError as error:
            near = capability.lower()
            yield f"capability {error.what}", f"Did you mean `{near}`?" if near != capability else error.hint


def _list_problems(option: str, values: Any, at_most: int) -> Iterator[Problem]:
    if not isinstance(values, tuple) or not all(isinstance(value, str) for value in values):
        yield f"{option} is not a list of texts", f'Write {option}=["..."]'
        return
    if len(values) > at_most:
        yield f"{len(values)} {option}, at most {at_most} are allowed", "Use a pattern such as `mail.*`, or two drivers"
    for twice in sorted(_repeated(values)):
        yield f"`{twice}` stands twice in {option}", "Remove one"


def _repeated(values: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]


def _limit_problems(manifest: Manifest) -> Iterator[Problem]:
    if not _in_range(manifest.timeout_s, 0.001, TIMEOUT_S):
        yield f"timeout {manifest.timeout_s!r} is not between 1 ms and 1 hour", 'Write timeout="30s"'
    beat = manifest.heartbeat_s
    if beat is not None and not _in_range(beat, 0.01, TIMEOUT_S):
        yield f"heartbeat {beat!r} is not between 10 ms and 1 hour", 'Write heartbeat="10s"'
    elif beat is not None and _in_range(manifest.timeout_s, 0.001, TIMEOUT_S) and beat >= manifest.timeout_s:
        what = f"heartbeat {beat:g} s is not less than the timeout of {manifest.timeout_s:g} s"
        yield what, "Raise `timeout`, or leave `heartbeat` out"
    low, high = MEMORY_BYTES
    memory = manifest.memory_bytes
    if memory is not None and not (type(memory) is int and low <= memory <= high):
        yield f"memory {memory!r} is not between 1 MB and 64 GB", 'Write memory="512MB"'


def _process_problems(manifest: Manifest) -> Iterator[Problem]:
    if manifest.cpu_s is not None and not _in_range(manifest.cpu_s, 0.1, TIMEOUT_S):
        yield f"cpu {manifest.cpu_s!r} is not between 100 ms and 1 hour", 'Write cpu="10s"'
    if type(manifest.processes) is not int or not 0 <= manifest.processes <= PROCESSES:
        yield f"processes {manifest.processes!r} is not a whole number from 0 to {PROCESSES}", "Write processes=2"
    problems = list(_list_problems("env", manifest.env, ENV))
    yield from problems
    for name in () if problems else manifest.env:
        if not _VARIABLE.fullmatch(name):
            yield f"env {shown(name)} is no name of an environment variable", 'Write env=["HTTP_PROXY"]'
        elif _SECRET.search(name):
            what = f"env {shown(name)} looks like a secret, and no secret enters a driver's process"
            yield what, 'Run it isolation="thread" if it needs one'
    if manifest.isolation == "process":
        return
    given = {"cpu": manifest.cpu_s is not None, "processes": manifest.processes != 0, "env": manifest.env != ()}
    for option in (option for option, is_given in given.items() if is_given):
        yield f"{option} is not enforced for isolation `{manifest.isolation}`", 'Write isolation="process"'


def _retry_problems(place: str, retry: Any) -> Iterator[Problem]:
    if not isinstance(retry, Retry):
        yield f"{place} is of type `{type(retry).__name__}`", "Write retry=Retry(max_attempts=5)"
        return
    if type(retry.max_attempts) is not int or not 1 <= retry.max_attempts <= 100:
        yield f"{place} max_attempts {retry.max_attempts!r} is not a whole number from 1 to 100", ""
    if not _in_range(retry.base_s, 0.001, 3_600):
        yield f"{place} base_s {retry.base_s!r} is not a number of seconds between 0.001 and 3600", ""
    elif not _in_range(retry.cap_s, retry.base_s, 86_400):
        yield f"{place} cap_s {retry.cap_s!r} is not a number of seconds between base_s and 86400", ""
    on: Any = retry.on
    if not isinstance(on, Mapping):
        yield f"{place} on is of type `{type(on).__name__}`", 'Write on={"throttled": Retry(max_attempts=20)}'
        return
    for kind, rule in on.items():
        yield from _rule_problems(place, kind, rule)


def _rule_problems(place: str, kind: Any, rule: Any) -> Iterator[Problem]:
    if kind in ("invalid", "permission"):
        yield f"{place} on `{kind}` is never tried again", "Give the exception another kind, with `errors`"
    elif kind not in get_args(RetriedKind):
        hint = did_you_mean(str(kind), get_args(RetriedKind)) or "It is `transient`, `throttled` or `bug`"
        yield f"{place} on `{kind}` is no kind of failure", hint
    elif isinstance(rule, Retry) and rule.on:
        yield f"{place} on `{kind}` has rules for kinds of its own", "Leave its `on` out"
    else:
        yield from _retry_problems(f"{place} on `{kind}`:", rule)


def _error_problems(errors: Any) -> Iterator[Problem]:
    if not isinstance(errors, Mapping):
        yield f"errors is of type `{type(errors).__name__}`", 'Write errors={"KeyError": "invalid"}'
        return
    if len(errors) > ERRORS:
        yield f"{len(errors)} errors, at most {ERRORS} are allowed", "Name a class that they have in common"
    for name, kind in errors.items():
        if not isinstance(name, str) or not _EXCEPTION.fullmatch(name):
            yield f"errors: {name!r:.80} does not name an exception", 'Write "KeyError" or "openai.RateLimitError"'
        if kind not in get_args(Kind):
            hint = did_you_mean(str(kind), get_args(Kind)) or f"It is one of {', '.join(get_args(Kind))}"
            yield f"errors: `{kind}` is no kind of failure", hint


def _text_problems(manifest: Manifest) -> Iterator[Problem]:
    for option, at_most in _TEXT_CHARS.items():
        value: Any = getattr(manifest, option)
        if not isinstance(value, str):
            yield f"{option} is of type `{type(value).__name__}`, not text", f'Write {option}="..."'
        elif len(value) > at_most:
            yield f"{option} has {len(value)} characters, at most {at_most} are allowed", ""
        elif not value.isprintable():
            yield f"{option} holds control characters", "Write it on one line"
    if manifest.version == "":
        yield "version is empty", 'Write version="1"'
    if manifest.weight is not None and not (type(manifest.weight) is int and 0 <= manifest.weight <= 100):
        yield f"weight {manifest.weight!r} is not a whole number from 0 to 100", "Write weight=10"


def _in_range(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and low <= value <= high
