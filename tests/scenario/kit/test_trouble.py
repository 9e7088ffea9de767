"""Trouble by script: drivers that fail or are slow, workers that die, outages, duplicates. The effect stays once."""

import asyncio
from datetime import timedelta

import pytest

from tests.scenario.kit.cast import greet, guest
from tests.scenario.kit.test_looking import BOTH
from vextir_os import Event, InvalidError, TransientError, driver
from vextir_os.errors import RunStateError, UsageError
from vextir_os.testing import open_os
from vextir_os.testing.clock import START
from vextir_os.testing.trouble import STAGES

AT_ONE = ("before publish", "after publish", "before settle", "after settle")
"""Where store and queue share a transaction, these are parts of the commit."""


@pytest.mark.parametrize("point", [f"{side} {stage}" for stage in STAGES for side in ("before", "after")])
@BOTH
async def test_wherever_the_worker_dies_the_effect_is_once(point: str, atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        os.crash_at(point)
        await os.publish(guest())
        await os.finish()
        assert os.crashes == (() if atomic and point in AT_ONE else (point,))
        assert os.outputs == ({"text": "Hello, Ann"},)
        assert [event.type for event in os.emitted] == ["greeting.said"]
        assert os.calls("greeter") == (2 if os.crashes and point in ("after driver", "before commit") else 1)


async def test_a_worker_that_dies_has_another_after_it_at_once() -> None:
    async with open_os(greet) as os:
        os.crash_at("before commit", times=2)
        await os.publish(guest())
        assert os.run("greeter").state == "done"
        assert (os.crashes, os.calls("greeter")) == (("before commit", "before commit"), 3)


async def test_a_driver_that_kills_its_worker_is_dead_lettered() -> None:
    async with open_os(greet) as os:
        os.crash_at("after driver", times=100)
        await os.publish(guest())
        assert [str(letter.error)[:15] for letter in os.dead] == ["WorkerLost: the"]


async def test_nothing_of_a_dead_worker_goes_on() -> None:
    done: list[int] = []

    @driver("steps", capabilities=["walk.wanted"])
    async def walk(event: Event) -> None:
        for step in range(3):
            await asyncio.sleep(1)
            done.append(step)

    async with open_os(greet, walk) as os:
        os.delay("greeter", 1.5)
        os.crash_at("before driver", passage=2)
        await os.publish(Event(type="walk.wanted"), guest())
        assert (os.crashes, done) == (("before driver",), [0, 0, 1, 2])


async def test_a_point_that_there_is_not_is_named_with_the_nearest_one() -> None:
    async with open_os(greet) as os:
        with pytest.raises(UsageError, match=r"no point `before comit` .* Did you mean `before commit`\?"):
            os.crash_at("before comit")


@BOTH
async def test_an_event_that_is_published_three_times_takes_effect_once(atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        await os.publish(guest(), copies=3)
        assert (os.calls("greeter"), len(os.emitted)) == (1, 1)


@BOTH
async def test_messages_that_come_once_more_change_nothing(atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        os.fail("greeter", TransientError("down"))
        await os.publish(guest("Ann"), guest("Bob", "urgent").but(priority=6))
        await os.finish()
        before = os.records
        await os.redeliver()
        assert (os.records, os.calls("greeter")) == (before, 2)


@pytest.mark.parametrize("done", [False, True], ids=["nothing-done", "answer-lost"])
@BOTH
async def test_an_outage_of_the_store_costs_time_and_nothing_else(atomic: bool, done: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        outage = os.outage("store", calls=4, done=done)
        await os.publish(guest())
        await os.finish()
        assert outage.left == 0
        assert (os.outputs, len(os.emitted)) == (({"text": "Hello, Ann"},), 1)


async def test_an_outage_of_the_queue_ends_too() -> None:
    async with open_os(greet, atomic=False) as os:
        os.outage("queue", calls=12)
        await os.publish(guest())
        await os.finish()
        assert (os.outputs, len(os.emitted)) == (({"text": "Hello, Ann"},), 1)


async def test_a_slow_driver_takes_virtual_time() -> None:
    async with open_os(greet) as os:
        os.delay("greeter", "20s")
        await os.publish(guest())
        assert (os.run("greeter").state, os.clock.now) == ("done", START + timedelta(seconds=20))


@BOTH
async def test_a_dead_run_is_replayed(atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        os.fail("greeter", InvalidError("no"))
        await os.publish(guest())
        assert os.run("greeter").state == "dead"
        await os.replay("greeter")
        assert (os.run("greeter").state, os.run("greeter").rerun) == ("done", 1)
        assert [letter.state for letter in os.dead] == ["replayed"]
        with pytest.raises(RunStateError, match="was replayed already, by user:operator"):
            await os.replay("greeter")


async def test_an_event_is_cancelled() -> None:
    async with open_os(greet) as os:
        os.fail("greeter", TimeoutError())
        await os.publish(guest())
        await os.cancel("e-1", reason="no guest")
        assert os.run("greeter").state == "cancelled"


@BOTH
async def test_a_restart_loses_nothing(atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        os.fail("greeter", TimeoutError())
        await os.publish(guest())
        await os.restart()
        await os.finish()
        assert os.run("greeter").state == "done"
