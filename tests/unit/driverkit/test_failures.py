import pytest

from vextir_os import ForbiddenError, InvalidError, ThrottledError, TransientError
from vextir_os.errors import DriverError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TransientError, "transient"),
        (ThrottledError, "throttled"),
        (InvalidError, "invalid"),
        (ForbiddenError, "permission"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_failure_says_whether_the_same_call_may_succeed_later(error: type[DriverError], kind: str) -> None:
    failure = error("the forecast service answers 500", hint="Look at its status page")
    assert failure.kind == kind
    assert str(failure) == "the forecast service answers 500. Look at its status page"


def test_a_throttled_driver_names_the_seconds_to_wait() -> None:
    assert ThrottledError("too many requests", retry_after_s=1.5).retry_after_s == 1.5
    assert ThrottledError("too many requests").retry_after_s is None


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_time_to_wait_that_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match=f"^retry_after_s is {seconds}, not a number of seconds from 0$"):
        ThrottledError("too many requests", retry_after_s=seconds)
