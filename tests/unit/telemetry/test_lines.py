"""How lines look: one line each, whatever they hold, in either form."""

import json
import logging
from typing import Any

import pytest

from vextir_os.telemetry.lines import renderer
from vextir_os.telemetry.writer import Line

EVIL = 'x"}\n{"level":"info"}\r\x1b[2K\x85\u2028\u202e\x7f\U000e0001'


def line(event: str = "run done", **fields: Any) -> Line:
    return Line(1_800_000_000.25, logging.INFO, event, dict, (fields,))


def test_a_line_of_json_has_time_level_and_event_first() -> None:
    text = renderer("json")(line(driver="shop", attempt=1))
    assert text == (
        b'{"time":"2027-01-15T08:00:00.250+00:00","level":"info","event":"run done","driver":"shop","attempt":1}\n'
    )


@pytest.mark.parametrize("place", ["event", "value", "name"])
def test_no_sign_from_outside_makes_another_line_of_json(place: str) -> None:
    given = {"event": line(EVIL), "value": line(event_id=EVIL), "name": line(fields={EVIL: 1})}[place]
    text = renderer("json")(given).decode()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    read = json.loads(text)
    assert EVIL in (read["event"], read.get("event_id"), *read.get("fields", {}))


@pytest.mark.parametrize("place", ["event", "value", "name"])
def test_no_sign_from_outside_does_anything_to_a_terminal(place: str) -> None:
    given = {"event": line(EVIL), "value": line(event_id=EVIL), "name": line(fields={EVIL: 1})}[place]
    text = renderer("console")(given).decode()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    assert "\\u202e" in text


def test_a_traceback_on_a_terminal_stands_behind_a_bar() -> None:
    text = renderer("console")(line(exception="Traceback\nValueError: 2027-01-15 [info] forged")).decode()
    assert text.splitlines()[1:] == ["    | Traceback", "    | ValueError: 2027-01-15 [info] forged"]


def test_a_line_that_cannot_be_made_says_so_and_costs_no_other() -> None:
    def broken() -> dict[str, Any]:
        raise KeyError("secret")

    text = renderer("json")(Line(1_800_000_000.0, logging.INFO, "run done", broken, ()))
    read = json.loads(text)
    assert (read["event"], read["error_class"]) == ("a log line could not be made", "KeyError")
    assert b"secret" not in text


def test_fields_of_a_driver_replace_none_of_the_lines_own() -> None:
    read = json.loads(renderer("json")(line(tenant="local", fields={"tenant": "forged", "time": "forged"})))
    assert (read["tenant"], read["fields"]["tenant"]) == ("local", "forged")
    assert read["time"].startswith("2027-")
