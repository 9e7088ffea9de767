"""From an exception to a failure."""

import asyncio

import pytest

from vextir_os.driverkit.failures import ThrottledError, TransientError
from vextir_os.errors import StoreUnavailableError
from vextir_os.runs.failure import failure_of


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ValueError("x"), "bug", "VX400"),
        (TimeoutError("x"), "transient", "VX400"),
        (ConnectionResetError("x"), "transient", "VX400"),
        (asyncio.CancelledError("x"), "transient", "VX400"),
        (TransientError("x"), "transient", "VX410"),
        (ThrottledError("x"), "throttled", "VX411"),
        (StoreUnavailableError("x"), "transient", "VX504"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_the_class_says_whether_the_same_call_may_succeed_later(error: BaseException, kind: str, code: str) -> None:
    failure = failure_of(error)
    assert (failure.kind, failure.detail["kind"], failure.detail["code"]) == (kind, kind, code)


@pytest.mark.parametrize(
    ("said", "obeyed"),
    [(7, 7.0), (0.5, 0.5), (0, 0.0), (-1, None), (float("nan"), None), (float("inf"), None), ("7", None), (None, None)],
)
def test_a_delay_is_obeyed_when_it_is_one(said: object, obeyed: float | None) -> None:
    error = ThrottledError("later")
    error.retry_after_s = said  # type: ignore[assignment]
    assert failure_of(error).retry_after_s == obeyed


def test_the_name_of_a_class_is_bounded() -> None:
    detail = failure_of(type("E" * 5_000, (ValueError,), {})("x")).detail
    assert detail["class"] == "E" * 200


def test_the_end_of_a_long_traceback_is_kept() -> None:
    try:
        raise ValueError("x" * 20_000 + "the end")
    except ValueError as error:
        detail = failure_of(error).detail
    assert len(detail["message"]) == 2_000
    assert len(detail["traceback"]) == 8_000
    assert detail["traceback"].endswith("the end\n")
