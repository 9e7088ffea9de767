from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.durations import parse_duration, parse_size


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30.0),
        ("1.5s", 1.5),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("2 d", 172_800.0),
        (45, 45.0),
        (0.25, 0.25),
        (timedelta(minutes=2), 120.0),
    ],
    ids=str,
)
def test_a_duration_is_read_as_seconds(value: Any, seconds: float) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("2 hours", '\'2 hours\' is not a duration such as "500ms", "30s", "5m" or "1h"', id="word"),
        pytest.param("30", "'30' is not a duration such as", id="no-unit"),
        pytest.param("30S", "'30S' is not a duration such as", id="wrong-case"),
        pytest.param("-5s", "'-5s' is not a duration such as", id="negative-text"),
        pytest.param("\u0663s", "'\u0663s' is not a duration such as", id="other-digits"),
        pytest.param("1h\n", "'1h\\n' is not a duration such as", id="line-end"),
        pytest.param("9" * 60 + "s", "'" + "9" * 39 + "… is not a duration such as", id="long"),
        pytest.param(-1, "-1 is not a duration of 0 seconds or more", id="negative"),
        pytest.param(float("nan"), "nan is not a duration of 0 seconds or more", id="nan"),
        pytest.param(float("inf"), "inf is not a duration of 0 seconds or more", id="infinite"),
        pytest.param(True, "True is not a duration such as", id="bool"),
        pytest.param(None, "None is not a duration such as", id="none"),
    ],
)
def test_what_is_no_duration_is_named(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the message is asserted whole)
        parse_duration(value)
    assert str(caught.value).startswith(message)


@given(st.integers(0, 10**9), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_unit_multiplies_and_never_changes_the_order(count: int, unit: str) -> None:
    assert parse_duration(f"{count}{unit}") == pytest.approx(count * parse_duration(f"1{unit}"))
    assert parse_duration(f"{count}{unit}") < parse_duration(f"{count + 1}{unit}")


@pytest.mark.parametrize(
    ("value", "size"),
    [("512MB", 512_000_000), ("512MiB", 536_870_912), ("1.5GB", 1_500_000_000), ("10 KB", 10_000), (4096, 4096)],
    ids=str,
)
def test_a_size_is_read_as_bytes(value: Any, size: int) -> None:
    assert parse_size(value) == size


@pytest.mark.parametrize("value", ["512", "1 mb", "-1MB", "1TB", 1.5, True, None, [], b"1MB"], ids=repr)
def test_what_is_no_size_is_named(value: Any) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the message is asserted whole)
        parse_size(value)
    assert str(caught.value) == f'{value!r} is not a size such as "512MB", "512MiB" or "1GB"'


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^-1 is not a size of 0 bytes or more$"):
        parse_size(-1)
