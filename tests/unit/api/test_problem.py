import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os import errors
from vextir_os.api.problem import Problem, problem_of
from vextir_os.errors import (
    DeniedError,
    DiskLowError,
    EventProblemsError,
    ForgedError,
    ForgedProblemsError,
    InvalidEventError,
    QueueFullError,
    StoreBusyError,
    StoreCorruptError,
    StoreFullError,
    StoreUnavailableError,
    TooLargeError,
    UndecodableError,
    VextirError,
)

SECRET = "/home/ann/.vextir/vextir.db"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UndecodableError("x"), 400, "VX203"),
        (InvalidEventError("x"), 400, "VX201"),
        (TooLargeError("x"), 413, "VX202"),
        (ForgedError("x"), 403, "VX204"),
        (EventProblemsError([TooLargeError("x")]), 400, "VX207"),
        (ForgedProblemsError([ForgedError("x")]), 403, "VX209"),
        (DeniedError("x", policy_id="p"), 403, "VX303"),
        (StoreFullError("x"), 503, "VX506"),
        (StoreBusyError("x"), 503, "VX505"),
        (StoreUnavailableError("x"), 503, "VX504"),
        (StoreCorruptError("x"), 500, "VX507"),
        (QueueFullError("x"), 429, "VX514"),
        (DiskLowError("x"), 429, "VX515"),
        (ValueError("x"), 500, "VX000"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_status(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert ("Retry-After" in problem.headers) == (status in (429, 503))


def everything() -> list[type[VextirError]]:
    """Return all errors of ours that take one text."""
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, VextirError)]
    return [one for one in found if not issubclass(one, errors.ProblemsError)]


@pytest.mark.parametrize("kind", everything(), ids=lambda kind: kind.__name__)
def test_only_what_the_sender_did_is_told(kind: type[VextirError]) -> None:
    told = SECRET.encode() in problem_of(kind(f"failed: {SECRET}", hint=f"look at {SECRET}")).body()
    assert told == issubclass(kind, (errors.EventError, errors.RunStateError, DeniedError))


@given(detail=st.text(), hint=st.text(), where=st.text(max_size=10))
def test_any_text_can_be_told(detail: str, hint: str, where: str) -> None:
    problem = problem_of(EventProblemsError([UndecodableError(detail, hint=hint, where=where)]))
    document = json.loads(problem.body())
    (member,) = document["problems"]
    assert member["code"] == "VX203"
    assert document["status"] == 400
    assert json.loads(Problem(status=400, code="VX903", detail=detail, hint=hint).body())["title"] == "Bad Request"


def test_half_a_surrogate_pair_is_told_as_its_escape() -> None:
    body = json.loads(Problem(status=400, code="VX903", detail="a\ud800b").body())
    assert body["detail"] == "a\\ud800b"
