"""The grammar of actions, `verb:resource`: one for what drivers may ask for and for what policies speak about. Pure.

A pattern may hold globs: `*` is one segment, `**` any number of them. A resource that is acted on holds none, and has
one spelling only; another spelling (`/a/../b`, `API.example.com`) is no resource, so no pattern matches it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Literal, get_args

from vextir_os.errors import ActionError, EventError, did_you_mean, shown
from vextir_os.events.names import check_pattern, check_type
from vextir_os.policy.globs import DEEP, matches_segments

Verb = Literal[
    "publish", "process", "emit", "model", "tool", "context.read", "context.write",
    "http", "secret", "call", "plan", "ui", "admin",
]  # fmt: skip
"""What is done: `publish` enters from outside, `process` is a driver's run, `emit` an event that a run sends on."""

VERBS: tuple[str, ...] = get_args(Verb)
RESOURCE_CHARS = 1_024
"""Characters of a resource or of a pattern for one, at most."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_ADDRESS6 = re.compile(r"[0-9a-f:]*:[0-9a-f:.]*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_NO_GLOB = frozenset("?[]{}!\\")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the resources of some verbs look: what parts them, and what is wrong with one (`None`: nothing)."""

    separator: str
    problem: Callable[[str, str, bool], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPattern:
    """A set of actions. `str()` gives the text it was parsed from.

    Attributes:
        verb: One of `VERBS`; never a glob, so that a new verb is never granted by an old text.
        resource: Globs by segment: `mail/*`, `/Research/**`, `**.example.com`, `research.*`.
        segments: The resource, parted.
    """

    verb: str
    resource: str
    segments: tuple[str, ...]

    def matches(self, verb: str, resource: str) -> bool:
        """Whether an action is in the set. An action that is not well-formed is in none."""
        return (
            verb == self.verb
            and resource_problem(verb, resource) is None
            and matches_segments(self.segments, split(verb, resource))
        )

    def __str__(self) -> str:
        return f"{self.verb}:{self.resource}"


@lru_cache(4096)
def parse_action(text: str) -> ActionPattern:
    """Parse `verb:resource`, globs allowed: a driver's permission or the action of a policy.

    Raises:
        ActionError: The verb is unknown, or its resources do not look like this; the message says how they do.
    """
    verb, colon, resource = text.partition(":")
    given = shown(text, 100)
    if not colon:
        hint = did_you_mean(verb, VERBS) or f"The verbs are: {', '.join(VERBS)}"
        raise ActionError(f"{given} is no action: it has no `verb:resource`", hint=hint)
    if verb not in VERBS:
        hint = did_you_mean(verb, VERBS) or f"The verbs are: {', '.join(VERBS)}"
        raise ActionError(f"unknown verb {shown(verb)} in {given}", hint=hint)
    problem = _text_problem(resource) or _KINDS[verb].problem(verb, resource, True)
    if problem:
        raise ActionError(f"{given} is no action: {problem}", hint=_EXAMPLES[verb])
    return ActionPattern(verb=verb, resource=resource, segments=tuple(split(verb, resource)))


def resource_problem(verb: str, resource: str) -> str | None:
    """Return what is wrong with a resource that is acted on, or None. A wrong one is denied, whatever policies say."""
    if len(resource) > RESOURCE_CHARS:
        return _too_long(resource)
    return _resource_problem(verb, resource)


@lru_cache(4096)
def _resource_problem(verb: str, resource: str) -> str | None:
    if verb not in VERBS:
        return f"the verb {shown(verb)} is unknown"
    if "*" in resource:
        return "it holds `*`, and an action names one thing"
    return _text_problem(resource) or _KINDS[verb].problem(verb, resource, False)


def split(verb: str, resource: str) -> list[str]:
    """Return the segments of a resource or pattern of this verb: `/a/b` and `a/b` both give two."""
    return resource.removeprefix("/").split(_KINDS[verb].separator)


def permits(permissions: Iterable[str], action: str) -> bool:
    """Whether one of a driver's permissions covers an action such as `tool:mail/send`.

    Raises:
        ActionError: A permission has a wrong syntax.
    """
    return _permits(tuple(permissions), action)


@lru_cache(4096)
def _permits(permissions: tuple[str, ...], action: str) -> bool:
    verb, _, resource = action.partition(":")
    return any(parse_action(permission).matches(verb, resource) for permission in permissions)


def _text_problem(resource: str) -> str | None:
    if not resource:
        return "the resource is empty"
    if len(resource) > RESOURCE_CHARS:
        return _too_long(resource)
    if not resource.isprintable():
        return "the resource holds control or invisible characters"
    if not unicodedata.is_normalized("NFC", resource):
        return "the resource is not in Unicode normal form C"
    return None


def _too_long(resource: str) -> str:
    return f"the resource has {len(resource)} characters, at most {RESOURCE_CHARS} are allowed"


def _type_problem(_verb: str, resource: str, pattern: bool) -> str | None:
    try:
        (check_pattern if pattern else check_type)(resource)
    except EventError as error:
        return error.what
    return None


def _path_problem(_verb: str, resource: str, pattern: bool) -> str | None:
    if not resource.startswith("/"):
        return "a context path begins with `/`"
    return _segments_problem(resource[1:], pattern)


def _name_problem(verb: str, resource: str, pattern: bool) -> str | None:
    if " " in resource:
        return "a name holds no space"
    least, most = _PARTS[verb]
    segments = resource.split("/")
    count = len(segments)
    if count > most:
        return f"{verb} has one name, without `/`"
    if count < least and not (pattern and DEEP in segments):
        return f"{verb} has two names with `/` between"
    if verb == "model" and segments[0] not in ("chat", "embed") and "*" not in segments[0]:
        return f"{shown(segments[0])} is neither `chat` nor `embed`"
    return _segments_problem(resource, pattern)


def _segments_problem(resource: str, pattern: bool) -> str | None:
    for segment in resource.split("/"):
        if segment in ("", ".", ".."):
            return f"the segment `{segment}` is not allowed"
        if "\\" in segment:
            return "it holds a backslash"
        if not pattern:
            continue
        if not _NO_GLOB.isdisjoint(segment):
            return "`?`, `!`, `[`, `]`, `{` and `}` are no globs here; only `*` and `**` are"
        if DEEP in segment and segment != DEEP:
            return f"`**` stands alone in its segment, not as {shown(segment)}"
    return None


def _host_problem(_verb: str, resource: str, pattern: bool) -> str | None:
    if resource.count(":") > 1 and _ADDRESS6.fullmatch(resource):
        return _address_problem(resource)
    if "/" in resource or ":" in resource:
        return "http names a host alone, without scheme, port and path"
    for label in resource.split("."):
        if pattern and label in ("*", DEEP):
            continue
        if "*" in label:
            # `*example.com` would let evilexample.com in.
            return f"`*` stands for a whole part of a host, not as {shown(label)}"
        if not _LABEL.fullmatch(label):
            return f"the part {shown(label)} of the host is not lower-case ASCII (write other scripts as xn--…)"
    # Resolvers read `127.1` and `2130706433` as addresses too; a policy could be passed by in such a spelling.
    return _address_problem(resource) if _NUMBER.fullmatch(resource.rpartition(".")[2]) else None


def _address_problem(resource: str) -> str | None:
    if "*" in resource:
        return None
    try:
        address = str(ip_address(resource))
    except ValueError:
        return "the host ends in a number and is no address such as `192.0.2.1`"
    return None if address == resource else f"the address is not in its shortest form, `{address}`"


_TYPE = _Kind(".", _type_problem)
_PATH = _Kind("/", _path_problem)
_NAME = _Kind("/", _name_problem)
_KINDS: Mapping[str, _Kind] = {
    **dict.fromkeys(("publish", "process", "emit", "call"), _TYPE),
    **dict.fromkeys(("context.read", "context.write"), _PATH),
    **dict.fromkeys(("model", "tool", "secret", "plan", "ui", "admin"), _NAME),
    "http": _Kind(".", _host_problem),
}
_PARTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("model", "tool", "ui"), (2, 64)),
    **dict.fromkeys(("secret", "plan", "admin"), (1, 1)),
}
"""Names in a resource, at least and at most. A model's or a tool's own name may hold further `/`."""

_EXAMPLES: Mapping[str, str] = {
    **{verb: f"Write `{verb}:mail.received`, `{verb}:mail.*` or `{verb}:mail.**`" for verb in VERBS},
    "model": "Write `model:chat/NAME`, `model:embed/NAME`, `model:chat/*` or `model:**`",
    "tool": "Write `tool:SERVER/NAME`, `tool:SERVER/*` or `tool:**`",
    "context.read": "Write `context.read:/Research/report`, `context.read:/Research/*` or `context.read:/**`",
    "context.write": "Write `context.write:/Research/report`, `context.write:/Research/*` or `context.write:/**`",
    "http": "Write `http:api.example.com`, `http:*.example.com` or `http:**`",
    "secret": "Write `secret:NAME` or `secret:*`",
    "plan": "Write `plan:ID` or `plan:*`",
    "ui": "Write `ui:APP/ACTION`, `ui:APP/*` or `ui:**`",
    "admin": "Write `admin:VERB` or `admin:*`",
}
