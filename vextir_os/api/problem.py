"""Errors as HTTP answers: problem+json (RFC 9457). Pure; knows no request and no framework.

What the sender did is told in full. What went wrong inside is told by its class alone: paths, SQL, tracebacks and
secrets stay in the log.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from vextir_os.errors import (
    DeniedError,
    DiskLowError,
    EventError,
    EventProblemsError,
    ForgedError,
    OverloadedError,
    RunStateError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TooLargeError,
    VextirError,
)
from vextir_os.events import jsonio

MEDIA_TYPE = "application/problem+json"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is answered instead of what was asked for.

    Attributes:
        status: HTTP status, 400 to 599.
        code: The stable code of the error, `VX203`.
        detail: What happened, to what.
        hint: What to do; a sentence, or empty.
        headers: Headers that the status asks for: `Retry-After`, `Allow`, `WWW-Authenticate`.
        more: Further members of the document.
    """

    status: int
    code: str
    detail: str
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    more: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def body(self) -> bytes:
        """Return the document: `{"type", "title", "status", "code", "detail", "hint", …}`; `hint` only if there is one.

        The type is `about:blank`, so the title is the phrase of the status (RFC 9457, section 4.2.1).
        """
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": _text(self.detail),
        }
        if self.hint:
            document["hint"] = _text(self.hint)
        return jsonio.dumps({**document, **self.more})


class RefusedError(VextirError):
    """A request ends here, with this problem: an unknown route, a wrong method, header, length or content type."""

    code = "VX903"
    kind = "invalid"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.detail, hint=problem.hint)


def problem_of(error: Exception) -> Problem:
    """Return the answer for whatever was raised while a request was served."""
    if isinstance(error, RefusedError):
        return error.problem
    if isinstance(error, EventError):
        return _of_event(error)
    if isinstance(error, DeniedError):
        return _told(403, error, {"policy": error.policy_id})
    if isinstance(error, RunStateError):
        return _told(409, error)
    if isinstance(error, StoreError):
        return _of_store(error)
    return Problem(
        status=500,
        code=error.code if isinstance(error, VextirError) else VextirError.code,
        detail="the request failed inside the OS",
        hint="Look into the log of the OS",
    )


def _of_event(error: EventError) -> Problem:
    status = 403 if isinstance(error, ForgedError) else 413 if isinstance(error, TooLargeError) else 400
    if isinstance(error, EventProblemsError):
        return _told(status, error, {"problems": [_member(problem) for problem in error.problems]})
    return _told(status, error)


def _of_store(error: StoreError) -> Problem:
    # What these errors say of themselves names files of this machine.
    if isinstance(error, OverloadedError):
        detail = "the disk is too full" if isinstance(error, DiskLowError) else "too many events wait on the queue"
        after = math.ceil(error.retry_after_s)
        return _later(error, f"{detail}; nothing was accepted", f"Send again in {after} s", after, status=429)
    if isinstance(error, StoreFullError):
        return _later(error, "the store is full; nothing was accepted", "Send again later", 30)
    if isinstance(error, StoreBusyError):
        return _later(error, "the store is busy; nothing was accepted", "Send again", 1)
    if isinstance(error, StoreUnavailableError):
        return _later(
            error,
            "the store did not answer; whether events were accepted is unknown",
            "Send again, under the same ids or the same Idempotency-Key",
            5,
        )
    return Problem(status=500, code=error.code, detail="the store failed", hint="Look into the log of the OS")


def _later(error: StoreError, detail: str, hint: str, seconds: int, *, status: int = 503) -> Problem:
    return Problem(status=status, code=error.code, detail=detail, hint=hint, headers={"Retry-After": str(seconds)})


def _told(status: int, error: VextirError, more: Mapping[str, Any] = _NOTHING) -> Problem:
    return Problem(status=status, code=error.code, detail=error.what, hint=error.hint, more=more)


def _member(error: VextirError) -> dict[str, str]:
    member = {"where": error.where, "code": error.code, "detail": _text(error.what), "hint": _text(error.hint)}
    return {name: value for name, value in member.items() if value}


def _text(text: str) -> str:
    # A sender's text may hold half a surrogate pair, which JSON cannot.
    return text.encode("utf-8", "backslashreplace").decode()
