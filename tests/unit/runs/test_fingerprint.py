"""Fingerprints: the same error keeps its own, another has another, and no text makes them slow."""

import traceback
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.runs.fingerprint import _CHANGING as CHANGING
from vextir_os.runs.fingerprint import _FRAME as FRAME
from vextir_os.runs.fingerprint import DIGITS, FRAMES, MESSAGE_CHARS, TRACEBACK_CHARS, fingerprint, frames, normal


def raised(do: Callable[[], Any]) -> dict[str, str]:
    """Return the error of what a function raises, as a record holds it."""
    try:
        do()
    except Exception as error:  # noqa: BLE001 - whatever it raises
        told = "".join(traceback.format_exception(error))
        return {"class": type(error).__name__, "message": str(error), "traceback": told}
    raise AssertionError("nothing was raised")


def look_up(number: int) -> None:
    raise KeyError(f"order {number} is unknown")


def by_one_way(number: int) -> None:
    look_up(number)


def by_another_way(number: int) -> None:
    look_up(number)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("order 42 is unknown", "order <n> is unknown"),
        ("took 1.25 s, 3,000 rows at 12:30:01", "took <n> s, <n> rows at <n>"),
        ("user42 is gone", "user<n> is gone"),
        ("no 'order-1' in \"cart 7\" or `shop`", "no <value> in <value> or <value>"),
        ("can't open 'a.txt'", "can't open <value>"),
        ("at 0x7f3a2b and deadbeef01 it ended", "at <hex> and <hex> it ended"),
        ("a deadly defaced facade", "a deadly defaced facade"),
        (f"event {uuid.UUID(int=7)} failed", "event <id> failed"),
        ("open /var/data/x.json: no such file", "open <path>: no such file"),
        (r"open C:\data\x.json: no such file", "open <path>: no such file"),
        ("see ./local/x and ../up and ~/home/y", "see <path> and <path> and <path>"),
        ("GET https://api.example.com/v1/7?x=1 failed", "GET <url> failed"),
        ("either and/or", "either and/or"),
        ("two\nlines\tof  it", "two lines of it"),
        ("", ""),
    ],
)
def test_what_changes_each_time_leaves_the_message(message: str, expected: str) -> None:
    assert normal(message) == expected


def test_the_same_error_of_other_values_and_lines_is_the_same() -> None:
    one, two = raised(lambda: by_one_way(1)), raised(lambda: by_one_way(20_000))
    assert one != two
    assert fingerprint(one) == fingerprint(two)
    moved = {**one, "traceback": one["traceback"].replace("line ", "line 9")}
    assert fingerprint(moved) == fingerprint(one)


def test_class_message_and_the_functions_it_came_through_each_make_another() -> None:
    error = raised(lambda: by_one_way(1))
    others = [
        {**error, "class": "ValueError"},
        {**error, "message": "order 1 is closed"},
        raised(lambda: by_another_way(1)),
    ]
    assert len({fingerprint(one) for one in [error, *others]}) == 4


def test_only_the_innermost_own_frames_count() -> None:
    lines = [f'  File "/shop/drivers/a/driver.py", line {n}, in f{n}\n    call()\n' for n in range(5)]
    library = '  File "/x/.venv/lib/python3.11/site-packages/httpx/client.py", line 1, in send\n    call()\n'
    ours = '  File "/x/vextir_os/driverkit/call.py", line 1, in call_driver\n    call()\n'
    assert frames("".join([ours, *lines, library])) == ("f2", "f3", "f4")
    assert frames(ours + library) == ("call_driver", "send")
    assert frames("no traceback at all") == ()


def test_an_error_of_a_group_is_read_by_its_frames_as_well() -> None:
    def fail() -> None:
        raise ExceptionGroup("two", [KeyError("a")])

    assert frames(raised(fail)["traceback"])[-1] == "fail"


def test_it_is_twelve_hex_digits_that_no_restart_changes() -> None:
    assert fingerprint({"class": "KeyError", "message": "order 7", "traceback": ""}) == "944fa9780a0c"
    assert len(fingerprint({})) == DIGITS
    assert fingerprint({"class": None, "message": None}) == fingerprint({})


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_has_one(message: str, told: str) -> None:
    error = {"class": "E", "message": message, "traceback": told}
    assert fingerprint(error) == fingerprint({**error})


@pytest.mark.parametrize(
    "piece", ["'", "'a", "\"'", "/", "a/", "\\", "0x", "0", "0.", "a0", "deadbeef", "`", "“", "x://", "x:", "~/", "'\n"]
)
def test_no_text_is_looked_at_more_than_once(piece: str) -> None:
    """300,000 characters: whatever looked from each of them at all behind it would take a quarter of an hour."""
    assert CHANGING.sub("", piece * (300_000 // len(piece))) is not None
    assert FRAME.findall(f'  File "{piece * 100_000}') == []


def test_what_is_longer_is_cut() -> None:
    long = "x" * MESSAGE_CHARS
    assert fingerprint({"message": long + "a"}) == fingerprint({"message": long + "b"})
    frame = '  File "/shop/driver.py", line 1, in f\n'
    assert len(frames(frame * (TRACEBACK_CHARS // 10))) == FRAMES
