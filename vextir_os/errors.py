"""The one error hierarchy: what happened, to what, where, and what to do.

Each class has a stable `code` and answers one question with its `kind`: may the same call succeed later?
Pure: no formatting for a terminal, no HTTP; the faces decide how an error looks.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar, Literal

Kind = Literal["transient", "throttled", "invalid", "permission", "bug"]
"""`transient`: the same call may succeed soon. `throttled`: later, at a time that is named. Others: never as it is."""


class VextirError(Exception):
    """Base of every error that Vextir OS raises on purpose.

    Args:
        what: What happened, lower case, the thing named by its id.
        hint: What to do about it; a sentence.
        where: The place, such as `policies/mail.yaml:14`, when there is one.
    """

    code: ClassVar[str] = "VX000"
    kind: ClassVar[Kind] = "bug"

    def __init__(self, what: str, *, hint: str = "", where: str = "") -> None:
        self.what = what
        self.hint = hint
        self.where = where
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f". {self.hint}" if self.hint else ""
        return f"{place}{self.what}{advice}"


class ProblemsError(VextirError):
    """Several problems found in one pass over files or settings, reported together.

    Args:
        problems: One error per problem, in the order of file and line; at least one.
    """

    def __init__(self, problems: Sequence[VextirError]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} found")

    def __str__(self) -> str:
        return "\n".join([f"{self.what}:", *(f"  {problem}" for problem in self.problems)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names what is nearest to a mistyped name, ``Did you mean `tool:mail/send`?``; or empty."""
    near = get_close_matches(name[:200], sorted(known), n=1)
    return f"Did you mean `{near[0]}`?" if near else ""


def shown(text: str, limit: int = 60) -> str:
    """Return text from outside as messages show it: in backticks, cut, control characters escaped."""
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return f"`{cut}`" if cut.isprintable() else f"`{cut.encode('unicode_escape').decode()}`"


class YamlError(VextirError):
    """One problem in a YAML file, before anybody asks what the file is about."""

    code = "VX001"
    kind = "invalid"


class YamlProblemsError(ProblemsError, YamlError):
    """A YAML file cannot be read; all its problems."""

    code = "VX002"


# Events (2xx)


class EventError(VextirError):
    """Something about an event itself."""

    code = "VX200"
    kind: ClassVar[Kind] = "invalid"


class InvalidEventError(EventError):
    """An attribute or the data of an event has a wrong type, range or syntax."""

    code = "VX201"


class TooLargeError(EventError):
    """An event, its data or an output is over a size or depth limit."""

    code = "VX202"


class UndecodableError(EventError):
    """Bytes that are no event: broken JSON, no UTF-8, NaN, duplicate keys, no known form."""

    code = "VX203"


class ForgedError(EventError):
    """A message claims what only the OS may say, without the OS's signature."""

    code = "VX204"
    kind = "permission"


class PatternError(EventError):
    """A capability or subscription pattern has a wrong syntax."""

    code = "VX205"


class FilterError(EventError):
    """An event filter has an unknown key or a wrong value."""

    code = "VX206"


class EventProblemsError(ProblemsError, EventError):
    """A batch cannot be accepted; all its problems, each with the index of its event from 0."""

    code = "VX207"


class ForgedProblemsError(EventProblemsError, ForgedError):
    """A batch cannot be accepted, and an event in it claims what only the OS may say."""

    code = "VX209"


class BusError(EventError):
    """The event bus is closed, there is none in this context, or a stream is read outside of `async with`."""

    code = "VX208"


# Policy (3xx)


class PolicyError(VextirError):
    """Something about policies."""

    code = "VX300"
    kind: ClassVar[Kind] = "invalid"


class PolicyFileError(PolicyError):
    """One problem in a policy file."""

    code = "VX301"


class PolicyProblemsError(ProblemsError, PolicyError):
    """The policy files cannot be loaded; all their problems."""

    code = "VX302"


class DeniedError(PolicyError):
    """The policy `policy_id` denies the action, or none allows it; then that is None."""

    code = "VX303"
    kind = "permission"

    def __init__(self, what: str, *, hint: str = "", policy_id: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.policy_id = policy_id


class ActionError(PolicyError):
    """A permission, or the action that a policy names, has a wrong syntax."""

    code = "VX304"


# Drivers (4xx)


class DriverError(VextirError):
    """Something about a driver or its manifest."""

    code = "VX400"


class ManifestError(DriverError):
    """One problem in a driver's manifest or module."""

    code = "VX401"
    kind = "invalid"


class ManifestProblemsError(ProblemsError, DriverError):
    """The drivers cannot be indexed; all their problems."""

    code = "VX402"
    kind = "invalid"


class StaleIndexError(DriverError):
    """The driver index does not match the driver files."""

    code = "VX403"
    kind = "invalid"


class DriverTimeoutError(DriverError):
    """A driver did not end within its declared time-out."""

    code = "VX404"
    kind = "transient"


class InvalidPayloadError(DriverError):
    """The event's data does not fit the driver's typed `data` parameter."""

    code = "VX405"
    kind = "invalid"


class InvalidOutputError(DriverError):
    """A driver returned something that is no output: not JSON, too large, not an event."""

    code = "VX406"


class NotPermittedError(DriverError):
    """A driver asked for something that its manifest or a policy does not permit."""

    code = "VX407"
    kind = "permission"


class UnknownDriverError(DriverError):
    """No driver of this id is in the registry."""

    code = "VX408"
    kind = "invalid"


class DriverImportError(DriverError):
    """A driver's module cannot be imported; it is tried again with the next event."""

    code = "VX409"


# Store and queue (5xx)


class StoreError(VextirError):
    """Something about the store, the queue or the blobs behind a port."""

    code = "VX500"


class NotFoundError(StoreError):
    """No such document, message, entity or blob."""

    code = "VX501"
    kind = "invalid"


class AlreadyExistsError(StoreError):
    """A create met a document of the same id and partition."""

    code = "VX502"
    kind = "invalid"


class ConflictError(StoreError):
    """A document changed since it was read, or a condition on it does not hold."""

    code = "VX503"
    kind = "transient"


class StoreUnavailableError(StoreError):
    """The store or queue did not answer, or is closed; whether a write happened is unknown unless it says so."""

    code = "VX504"
    kind = "transient"


class StoreBusyError(StoreUnavailableError):
    """Another process holds the database's write lock for too long; nothing was written."""

    code = "VX505"


class StoreFullError(StoreError):
    """The disk, or the limit set for the database, is full; nothing was written."""

    code = "VX506"
    kind = "transient"


class StoreCorruptError(StoreError):
    """The database file is damaged."""

    code = "VX507"


class ForeignFileError(StoreError):
    """The file is no Vextir OS database, or of a newer version."""

    code = "VX508"
    kind = "invalid"


class LockLostError(StoreError):
    """The lock of a message or session has expired or belongs to another receiver."""

    code = "VX509"
    kind = "invalid"


class SessionLockedError(StoreError):
    """The session is locked by another receiver."""

    code = "VX510"
    kind = "transient"


class BlobMismatchError(StoreError):
    """The bytes of a blob do not have the hash or size that its reference names."""

    code = "VX511"


class InvalidRequestError(StoreError):
    """A document, message, name, path or option that no store or queue takes."""

    code = "VX512"
    kind = "invalid"


# Runs (6xx)


class RunError(VextirError):
    """Something about the record of an event or a run in it."""

    code = "VX600"


class LostRunError(RunError):
    """The run belongs to another worker now: its fence, owner or state changed. Touch nothing more of it."""

    code = "VX601"


class WaitTimeoutError(RunError):
    """What somebody waits for did not end in the time that they give it; it goes on without them."""

    code = "VX603"
    kind = "transient"


# Authentication and settings (9xx)


class SettingsError(VextirError):
    """One wrong or missing setting."""

    code = "VX900"
    kind = "invalid"


class SettingsProblemsError(ProblemsError, SettingsError):
    """The settings cannot be used; all their problems."""

    code = "VX901"


class AuthError(VextirError):
    """The caller did not prove who it is, or comes from where it may not."""

    code = "VX902"
    kind = "permission"


class UsageError(VextirError):
    """A command line that cannot be carried out as it is written."""

    code = "VX903"
    kind = "invalid"
