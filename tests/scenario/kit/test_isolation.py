"""Drivers on threads and in processes, under test: they really run there, and time passes as it really does."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.kit.cast import guest, sleep
from tests.support.drivers import write_driver
from vextir_os import Event, TransientError, driver
from vextir_os.driverkit.manifest import Isolation
from vextir_os.testing import open_os
from vextir_os.testing.clock import START

GREETER = """
import os

@driver("greeter", capabilities=["guest.arrived"], isolation="process", permissions=["emit:greeting.said"])
def greet(event: Event, ctx: Context) -> Result:
    ctx.log("greeted")
    return Result(output={"pid": os.getpid()}, events=[Event(type="greeting.said")])
"""
POLICY = "policies:\n  - id: all\n    effect: allow\n    match: {action: ['publish:**', 'process:**', 'emit:**']}\n"


def a_thread() -> Callable[..., Any]:
    @driver("worker", capabilities=["work.wanted"], isolation="thread")
    def work(event: Event) -> dict[str, object]:
        time.sleep(0.02)
        return {"by": threading.current_thread().name}

    return work


async def test_a_driver_on_a_thread_is_waited_for_and_time_is_real_meanwhile() -> None:
    async with open_os(a_thread(), sleep) as os:
        await os.publish(Event(type="work.wanted"), Event(type="nap.wanted", data={"seconds": 60}))
        assert os.output("worker")["by"].startswith("vextir-worker")
        assert (os.run("worker").state, os.output("sleeper")) == ("done", {"slept": 60})
        assert os.clock.now.timestamp() - START.timestamp() == pytest.approx(60, abs=5)


async def test_a_driver_in_a_process_is_tested_as_any_other(tmp_path: Path) -> None:
    write_driver(tmp_path, "greeter", GREETER)
    async with open_os(root=tmp_path, policies=POLICY) as os:
        os.fail("greeter", TransientError("down"))
        os.crash_at("after driver")
        await os.publish(guest(), copies=2)
        await os.advance("10m")
        assert os.output("greeter")["pid"] > 0
        assert (len(os.emitted), os.calls("greeter"), os.crashes) == (1, 2, ("after driver",))
        assert "greeted" in os.logs


@pytest.mark.parametrize("isolation", ["inline", "thread"])
async def test_a_worker_that_dies_leaves_its_driver_to_another(isolation: Isolation) -> None:
    @driver("worker", capabilities=["work.wanted"], isolation=isolation)
    async def work(event: Event) -> int:
        return 1

    async with open_os(work) as os:
        os.crash_at("before commit")
        await os.publish(Event(type="work.wanted"))
        assert (os.output("worker"), os.calls("worker")) == (1, 2)
