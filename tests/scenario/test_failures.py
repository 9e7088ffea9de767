"""Whatever a driver raises becomes the error of its run, and its neighbours go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from tests.support.clock import FakeClock
from tests.support.harness import an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import ForbiddenError, InvalidError, ThrottledError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.errors import VextirError
from vextir_os.events.event import Event

ONCE = Retry(max_attempts=1)


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise SystemExit("even this")


class NoTextError(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


class Odd(BaseException):
    """Like KeyboardInterrupt, it is no Exception."""


class LiarError(VextirError):
    kind = ("transient",)  # type: ignore[assignment]
    code = b"VX"  # type: ignore[assignment]
    retry_after_s = float("nan")


def throw(error: BaseException) -> Callable[[], Any]:
    def raising() -> Any:
        raise error

    return raising


def caused() -> Any:
    try:
        raise ValueError("the first")
    except ValueError as error:
        error.__cause__ = error
        raise RuntimeError("the second") from error


RAISED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "ValueError": (throw(ValueError("no such thing")), "ValueError", "no such thing"),
    "no text": (throw(ValueError()), "ValueError", "ValueError"),
    "SystemExit": (throw(SystemExit(3)), "SystemExit", "3"),
    "a BaseException": (throw(Odd("odd")), "Odd", "odd"),
    "CancelledError by itself": (throw(asyncio.CancelledError("mine")), "CancelledError", "mine"),
    "GeneratorExit": (throw(GeneratorExit("closed")), "GeneratorExit", "closed"),
    "StopIteration": (throw(StopIteration(1)), "RuntimeError", "coroutine raised StopIteration"),
    "StopAsyncIteration": (throw(StopAsyncIteration(1)), "StopAsyncIteration", "1"),
    "one that cannot be shown": (throw(UnprintableError()), "UnprintableError", "UnprintableError"),
    "one whose text is none": (throw(NoTextError()), "NoTextError", "NoTextError"),
    "half a surrogate pair": (throw(ValueError("\ud800 half")), "ValueError", "? half"),
    "a group": (
        throw(ExceptionGroup("many", [ValueError("a"), TypeError("b")])), "ExceptionGroup", "many (2 sub-exceptions)"
    ),
    "a cause that is its own": (caused, "RuntimeError", "the second"),
    "too deep a recursion": (lambda: recurse(), "RecursionError", "maximum recursion depth exceeded"),
    "a text of 10 MB": (throw(ValueError("x" * 10_000_000)), "ValueError", "x" * 2_000),
    "an error that lies about itself": (throw(LiarError("lie")), "LiarError", "lie"),
    "control characters": (throw(ValueError("\x1b[31m\x00")), "ValueError", "\x1b[31m\x00"),
}  # fmt: skip


def recurse() -> Any:
    return recurse()


def answered(status: int, retry_after: str) -> Exception:
    request = httpx2.Request("GET", "https://api.example.com/")
    response = httpx2.Response(status, headers={"Retry-After": retry_after}, request=request)
    return httpx2.HTTPStatusError("it failed", request=request, response=response)


@driver("neighbour", capabilities=["job.sent"])
async def neighbour(event: Event) -> str:
    return "fine"


@pytest.mark.parametrize("name", RAISED)
async def test_whatever_a_driver_raises_is_the_error_of_its_run(tmp_path: Path, atomic: bool, name: str) -> None:
    act, class_, message = RAISED[name]

    @driver("raising", capabilities=["job.sent"], retry=ONCE)
    async def raising(event: Event) -> Any:
        return act()

    async with an_os(tmp_path, raising, neighbour, atomic=atomic) as os:
        record = await os.event("job.sent")
        run = record["runs"]["raising"]
        assert (run["state"], run["attempt"]) == ("dead", 1)
        assert run["error"]["class"] == class_
        assert run["error"]["message"][: len(message)] == message
        assert run["error"]["kind"] in ("bug", "transient")
        assert len(run["error"]["traceback"]) <= 8_000
        assert record["runs"]["neighbour"]["output"] == "fine"
        [letter] = await os.dead_letters("run")
        assert (letter["error"], letter["driver"], letter["attempts"]) == (run["error"], "raising", 1)


async def test_a_driver_that_raises_before_it_first_waits_and_one_that_raises_after_end_alike(
    tmp_path: Path, atomic: bool
) -> None:
    @driver("before", capabilities=["job.sent"], retry=ONCE)
    async def before(event: Event) -> None:
        raise SystemExit("stop")

    @driver("after", capabilities=["job.sent"], retry=ONCE)
    async def after(event: Event) -> None:
        await asyncio.sleep(0)
        raise SystemExit("stop")

    async with an_os(tmp_path, before, after, atomic=atomic) as os:
        runs = (await os.event("job.sent"))["runs"]
        assert {run["error"]["message"] for run in runs.values()} == {"stop"}
        assert {run["state"] for run in runs.values()} == {"dead"}


async def test_a_driver_that_does_not_end_in_time_is_ended(tmp_path: Path, atomic: bool) -> None:
    ended = []

    @driver("slow", capabilities=["job.sent"], retry=ONCE, timeout="20ms")
    async def slow(event: Event) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(event.id)

    async with an_os(tmp_path, slow, neighbour, atomic=atomic) as os:
        record = await os.event("job.sent")
        error = record["runs"]["slow"]["error"]
        assert (error["code"], error["kind"]) == ("VX404", "transient")
        assert error["message"] == "driver slow did not end within 0.02 s. Raise its `timeout`, or split its work"
        assert (ended, record["runs"]["neighbour"]["output"]) == (["e-1"], "fine")


async def test_a_timeout_of_the_drivers_own_is_told_from_ours(tmp_path: Path, atomic: bool) -> None:
    @driver("own", capabilities=["job.sent"], retry=ONCE)
    async def own(event: Event) -> None:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(60)

    async with an_os(tmp_path, own, atomic=atomic) as os:
        error = (await os.event("job.sent"))["runs"]["own"]["error"]
        assert (error["class"], error["code"], error["kind"]) == ("TimeoutError", "VX400", "transient")


async def test_a_run_that_fails_and_then_does_not_is_done(tmp_path: Path, atomic: bool) -> None:
    @driver("moody", capabilities=["job.sent"], retry=Retry(max_attempts=5, base_s=0.01))
    async def moody(event: Event, ctx: Context) -> int:
        if ctx.attempt < 4:
            raise TransientError(f"attempt {ctx.attempt}")
        return ctx.attempt

    async with an_os(tmp_path, moody, atomic=atomic) as os:
        run = (await os.event("job.sent"))["runs"]["moody"]
        assert (run["state"], run["output"], run["attempt"], run["fence"]) == ("done", 4, 3, 4)
        assert run["error"] is None
        assert await os.dead_letters("run") == []


@pytest.mark.parametrize(
    ("error", "delay"),
    [(ThrottledError("slow down", retry_after_s=7), 7.0), (ThrottledError("slow down", retry_after_s=9_999), 60.0),
     (ThrottledError("slow down"), 4.0), (TransientError("broken"), 4.0), (answered(429, "7"), 7.0),
     (answered(429, "Sat, 15 Jan 2028 00:00:00 GMT"), 60.0), (answered(503, ""), 4.0)],
    ids=["obeyed", "up to the cap", "throttled without a time", "transient", "a 429", "a date", "a 503"],
)  # fmt: skip
async def test_the_next_attempt_comes_when_the_error_says(
    tmp_path: Path, atomic: bool, error: Exception, delay: float
) -> None:
    @driver("limited", capabilities=["job.sent"], retry=Retry(max_attempts=2, base_s=8, cap_s=60))
    async def limited(event: Event) -> None:
        raise error

    clock = FakeClock()
    async with an_os(tmp_path, limited, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        run = (await os.record("e-1"))["runs"]["limited"]
        assert (run["state"], run["not_before"]) == ("retry", clock.time() + delay)


@pytest.mark.parametrize("error", [InvalidError("no such customer"), ForbiddenError("no key")], ids=["invalid", "403"])
async def test_what_cannot_pass_is_never_tried_again(tmp_path: Path, atomic: bool, error: Exception) -> None:
    @driver("strict", capabilities=["job.sent"], retry=Retry(max_attempts=9))
    async def strict(event: Event) -> None:
        raise error

    async with an_os(tmp_path, strict, atomic=atomic) as os:
        run = (await os.event("job.sent"))["runs"]["strict"]
        assert (run["state"], run["attempt"], run["error"]["message"]) == ("dead", 1, str(error))


@pytest.mark.parametrize("error", [answered(404, ""), KeyError("book")], ids=["a client's 404", "as declared"])
async def test_what_a_driver_says_of_its_libraries_errors_counts(
    tmp_path: Path, atomic: bool, error: Exception
) -> None:
    @driver("reader", capabilities=["job.sent"], errors={"KeyError": "invalid"}, delivery="idempotent")
    async def reader(event: Event) -> None:
        raise error

    async with an_os(tmp_path, reader, atomic=atomic) as os:
        run = (await os.event("job.sent"))["runs"]["reader"]
        assert (run["state"], run["attempt"], run["error"]["kind"]) == ("dead", 1, "invalid")
        [tried] = run["error"]["tried"]
        assert (tried["attempt"], tried["class"], tried["delay_s"]) == (1, type(error).__name__, None)


class Order(BaseModel):
    item: str
    count: int


async def test_data_that_does_not_fit_is_named_and_the_driver_not_entered(tmp_path: Path, atomic: bool) -> None:
    entered = []

    @driver("typed", capabilities=["order.placed"])
    async def typed(data: Order) -> None:
        entered.append(data)

    async with an_os(tmp_path, typed, atomic=atomic) as os:
        run = (await os.event("order.placed", {"item": "tea", "count": "many"}))["runs"]["typed"]
        assert (run["state"], run["attempt"], run["error"]["code"]) == ("dead", 1, "VX405")
        assert "count: Input should be a valid integer" in run["error"]["message"]
        assert "found 'many'" in run["error"]["message"]
        assert entered == []
