"""How errors look, and which exit code each means."""

import io

import pytest

from vextir_os.cli.errors import exit_code, report
from vextir_os.cli.outcome import exit_of
from vextir_os.cli.screen import screen_of
from vextir_os.errors import (
    AuthError,
    DeniedError,
    FilterError,
    NotFoundError,
    PolicyFileError,
    PolicyProblemsError,
    StoreCorruptError,
    UsageError,
    VextirError,
    WaitTimeoutError,
)


def said(error: BaseException) -> str:
    stream = io.StringIO()
    report(screen_of(stream, {}), error)
    return stream.getvalue()


def test_an_error_says_what_where_why_and_what_to_do() -> None:
    error = StoreCorruptError("the file is damaged", where="a.db", hint="Restore it")
    error.__cause__ = OSError("disk gone")
    assert said(error) == ("error VX507: the file is damaged\n  place: a.db\n  why:   disk gone\n  next:  Restore it\n")


def test_several_problems_are_said_one_by_one() -> None:
    problems = [PolicyFileError("wrong", where="a.yaml:1", hint="Do it right"), PolicyFileError("worse")]
    assert said(PolicyProblemsError(problems)) == (
        "error VX302: 2 problems found\n  a.yaml:1: wrong\n    Do it right\n  worse\n"
    )


def test_an_error_that_nobody_meant_to_raise_comes_with_its_traceback_and_without_escape_sequences() -> None:
    try:
        raise ZeroDivisionError("a\x1b[31m")
    except ZeroDivisionError as error:
        text = said(error)
    assert text.startswith("Traceback (most recent call last):\n")
    assert "error VX000: ZeroDivisionError: a\\x1b[31m\n  next:  This is a bug" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VextirError("x"), 1), (RuntimeError("x"), 1), (UsageError("x"), 2), (FilterError("x"), 2),
        (NotFoundError("x"), 3), (DeniedError("x"), 4), (AuthError("x"), 4), (WaitTimeoutError("x"), 6),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("statuses", "code"),
    [([], 0), (["ok", "unrouted"], 0), (["ok", "waiting"], 5), (["waiting", "denied"], 4), (["denied", "failed"], 1),
     (["cancelled"], 1)],
)  # fmt: skip
def test_the_worst_status_is_the_exit_code(statuses: list[str], code: int) -> None:
    assert exit_of(statuses) == code
