"""Acting on many dead letters: the rate, and what a command line may say of it."""

import pytest

from vextir_os.cli.redo import per_second, wait_s
from vextir_os.errors import UsageError


@pytest.mark.parametrize(("text", "rate"), [("10/s", 10.0), ("1/s", 1.0), ("60/m", 1.0), ("3/m", 0.05)])
def test_a_rate_is_so_many_a_second_or_a_minute(text: str, rate: float) -> None:
    assert per_second(text) == rate


@pytest.mark.parametrize("text", ["", "10", "0/s", "-1/s", "1.5/s", "10/h", "10/s ", "1e9/s", "٣/s", "9999999/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no rate"):
        per_second(text)


def test_a_rate_holds_from_the_beginning_and_what_took_long_is_made_up_for() -> None:
    assert wait_s(100.0, 100.0, 0, 10) == 0
    assert wait_s(100.0, 100.02, 1, 10) == pytest.approx(0.08)
    assert wait_s(100.0, 100.9, 5, 10) == 0
    assert wait_s(100.0, 100.9, 10, 10) == pytest.approx(0.1)
