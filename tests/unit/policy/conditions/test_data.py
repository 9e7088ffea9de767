"""The data gate: whatever a condition is asked about, only plain JSON gets to it, and nothing but PolicyError out."""

import math
from collections import OrderedDict, UserDict
from datetime import UTC, datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from vextir_os.errors import PolicyError
from vextir_os.policy import compile_condition


class Text(str):
    def lower(self) -> str:
        raise SystemExit

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Yes:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return self

    def __getitem__(self, key: object) -> Any:
        return self


class Raising(dict[str, Any]):
    def get(self, *_: object) -> Any:
        raise SystemExit

    def __getitem__(self, key: object) -> Any:
        raise KeyboardInterrupt


def cycle() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def bomb() -> list[Any]:
    shared: list[Any] = ["x"]
    for _ in range(60):
        shared = [shared, shared]
    return shared


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    return value


BAD: dict[str, Any] = {
    "a text of another class": Text("admin"),
    "an object that equals everything": Yes(),
    "an object in a list": [Yes()],
    "a dict of another class": Raising(x=1),
    "an ordered dict": OrderedDict(x=1),
    "a user's dict": UserDict(x=1),
    "a proxy": MappingProxyType({"x": 1}),
    "a namespace": SimpleNamespace(x=1),
    "a class": Yes,
    "a function": len,
    "a module": math,
    "bytes": b"x",
    "a set": {1},
    "a complex number": 1j,
    "an ellipsis": ...,
    "a date": datetime(2026, 1, 1, tzinfo=UTC),
    "not a number": math.nan,
    "infinity": math.inf,
    "a number over 64 bits": 2**63,
    "a huge number": 10**5_000,
    "a key that is no text": {1: 2},
    "a key that is a tuple": {(1,): 2},
    "a key of another class": {Text("x"): 1},
    "half a surrogate pair": "\ud800",
    "half a surrogate pair as a key": {"\ud800": 1},
    "a cycle": cycle(),
    "what stands for more than there is room": bomb(),
    "too many levels": deep(70),
    "too many parts": list(range(200_000)),
    "ten million characters": "x" * 10_000_000,
    "ten million letters": "é" * 10_000_000,
    "a generator": (x for x in [1]),
    "an exception": ValueError("x"),
}
SOURCES = ("event.data == event.data", "not event.data.x", 'event.data == "admin"', "event.data", "len(event) > 0",
           "any(x == x for x in event.data)", "event.data in [event.data]", "has(event.data)")  # fmt: skip


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_what_is_no_plain_data_is_refused_whatever_is_asked(value: Any) -> None:
    for source in SOURCES:
        with pytest.raises(PolicyError, match="is no data that a condition can be asked about: it holds"):
            compile_condition(source).evaluate({"event": {"type": "a", "data": value}})


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_as_a_root_as_well(value: Any) -> None:
    with pytest.raises(PolicyError):
        compile_condition("user == user").evaluate({"user": value})


def test_now_is_an_aware_datetime() -> None:
    for now in (datetime(2026, 1, 1), "2026-01-01", 5, None, Yes()):  # noqa: DTZ001
        with pytest.raises(PolicyError, match="`now` is no aware datetime"):
            compile_condition("hour(now) > 1").evaluate({"now": now})


@pytest.mark.parametrize("environment", [None, 5, Yes, [], "event", Raising(event=1)], ids=repr)
def test_an_environment_that_is_none_is_refused(environment: Any) -> None:
    if isinstance(environment, Raising):
        # A mapping that ends the program is the caller's own; an exception never leaves as anything else.
        return
    with pytest.raises(PolicyError, match="the environment is no mapping of roots"):
        compile_condition("event.x == 1").evaluate(environment)


def test_keys_with_the_names_of_pythons_own_attributes_are_plain_keys() -> None:
    data = {name: name for name in ("__class__", "__dict__", "items", "get", "lower", "_s", "_eq")}
    for name in data:
        assert compile_condition(f'event["{name}"] == "{name}"').evaluate({"event": data})
    assert compile_condition("event.items == 'items' and event.get == 'get'").evaluate({"event": data})


def test_data_that_a_condition_does_not_speak_of_is_not_looked_at() -> None:
    assert compile_condition("user.id == 'ann'").evaluate({"user": {"id": "ann"}, "event": Yes()})
