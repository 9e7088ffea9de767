"""The traps of ordered keys (PROTOCOL 11), each as it would be fallen into: frozen workers, old copies, crashes.

In the end every step that was not cancelled took effect once, in the order of sending, and nobody is in line.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from tests.support.clock import TickingClock
from tests.support.faults import Faults
from tests.support.harness import ANN, Harness, an_os
from tests.support.ordered import check_at_rest, effects, entries_made, key_of, states, step, taker
from tests.support.weak import Frozen, Stale, Unseen
from vextir_os.ports.queue import Delivery


@contextlib.asynccontextmanager
async def three_steps(folder: Path, atomic: bool, faults: Faults, clock: TickingClock) -> AsyncIterator[Harness]:
    """Run an OS to which three steps of a key in use were sent; in the end all took effect in their order."""
    async with an_os(
        folder, taker(), atomic=atomic, clock=clock, working=False, faults=faults, synchronous="NORMAL"
    ) as os:
        await os.publish(step(0))
        await os.work()
        if isinstance(faults, Stale):
            faults.armed = True
        await os.publish(step(1), step(2), step(3))
        yield os
        await os.recover(clock, rounds=12)
        assert await states(os) == {"e-0": "done", "e-1": "done", "e-2": "done", "e-3": "done"}
        assert await effects(os) == [0, 1, 2, 3]
        assert await entries_made(os, "e-0") == 4
        await check_at_rest(os)


async def freeze(folder: Path, atomic: bool, at: int, left_by: Literal["nobody", "a dead worker"]) -> int:
    """Let the first step's worker freeze at a call until others have done all there is; return how many it made."""
    clock, worlds = TickingClock(), list[Harness]()

    async def meanwhile() -> None:
        clock.advance(70)
        await worlds[0].sweep()
        await worlds[0].work()

    faults = Frozen(-1, meanwhile)
    async with three_steps(folder, atomic, faults, clock) as os:
        worlds.append(os)
        delivery = await taken(os, clock, faults, left_by)
        faults.calls.clear()
        faults.freeze_at = at
        await os.handle(delivery)
        return len(faults.calls)


async def taken(os: Harness, clock: TickingClock, faults: Faults, left_by: str) -> Delivery:
    if left_by == "a dead worker":
        # The record is there and has yet to enter the list of its key: its worker dies between the two writes.
        writes = ("transact", None) if os.kernel.processor.parts.desk.atomic else ("replace",)
        faults.next(*writes, "crash before")
        [first] = await os.kernel.ordered.receive(1, 0)
        await os.handle(first)
        clock.advance(20)
        await os.sweep()
        [delivery] = await os.kernel.queue.receive(1, 0)
    else:
        [delivery] = await os.kernel.ordered.receive(1, 0)
    return delivery


@pytest.mark.parametrize("left_by", ["nobody", "a dead worker"])
async def test_an_event_enters_its_keys_list_once(
    tmp_path: Path, atomic: bool, left_by: Literal["nobody", "a dead worker"]
) -> None:
    """Its worker saw that it is not in the list, and froze; others entered it, ran it and took it out again."""
    calls = await freeze(tmp_path / "smooth", atomic, -1, left_by)
    assert calls > 8
    for at in range(calls):
        try:
            await freeze(tmp_path / str(at), atomic, at, left_by)
        except AssertionError as error:
            raise AssertionError(f"frozen at call {at}: {error}") from error


@pytest.mark.parametrize("age", ["last", "first", "absent"])
async def test_an_old_copy_of_a_key_holds_nobody_up(
    tmp_path: Path, atomic: bool, age: Literal["last", "first", "absent"]
) -> None:
    smooth = Stale(-1, age)
    async with three_steps(tmp_path / "smooth", atomic, smooth, TickingClock()):
        pass
    assert smooth.reads > 5
    for at in range(smooth.reads):
        try:
            async with three_steps(tmp_path / str(at), atomic, Stale(at, age), TickingClock()):
                pass
        except AssertionError as error:
            raise AssertionError(f"read {at} of the document was old: {error}") from error


async def cancel_one_in_the_list(folder: Path, atomic: bool, at: int) -> int:
    """Cancel a step whose worker died once it was in the list, and let one more crash happen; return the calls made."""
    clock, faults = TickingClock(), Faults()
    async with an_os(
        folder, taker({1: 1}), atomic=atomic, clock=clock, working=False, faults=faults, draw=0.9,
        synchronous="NORMAL",
    ) as os:  # fmt: skip
        await os.publish(step(1), step(2), step(3))
        [first] = await os.kernel.ordered.receive(1, 0)
        await os.handle(first)
        # The last write of the second, that takes its entry out of the outbox, is never made.
        faults.next(*(("transact", None, None, "crash before") if atomic else ("replace", None, "crash before")))
        [second] = await os.kernel.ordered.receive(1, 0)
        await os.handle(second)
        faults.end()
        assert [entry["do"] for entry in (await os.record("e-2"))["outbox"]] == ["enrol"]
        assert len((await key_of(os))["list"]) == 2
        await os.kernel.control.cancel("e-2", ANN)
        # Nobody hears of it but the head, when that is over.
        [knock] = await os.kernel.queue.receive(1, 0)
        await os.kernel.queue.complete(knock.token)
        faults.calls.clear()
        faults.crash_at(at)
        await os.recover(clock, rounds=12)
        assert await states(os) == {"e-1": "done", "e-2": "cancelled", "e-3": "done"}
        assert await effects(os) == [1, 3]
        assert await entries_made(os, "e-1") == 3
        await check_at_rest(os)
        return len(faults.calls)


async def test_a_cancelled_event_is_taken_out_of_its_keys_list_wherever_a_worker_dies(
    tmp_path: Path, atomic: bool
) -> None:
    calls = await cancel_one_in_the_list(tmp_path / "smooth", atomic, -1)
    for at in range(calls):
        try:
            await cancel_one_in_the_list(tmp_path / str(at), atomic, at)
        except AssertionError as error:
            raise AssertionError(f"crash before call {at}: {error}") from error


async def cancel_the_head(folder: Path, atomic: bool, died_at: int, dies_at: int) -> int:
    """Cancel a step whose worker died at a call, and let another die at one; return the calls made after the cancel."""
    clock, faults = TickingClock(), Faults(died_at, "crash before")
    async with an_os(
        folder, taker(), atomic=atomic, clock=clock, working=False, faults=faults, synchronous="NORMAL"
    ) as os:
        await os.publish(step(1))
        [first] = await os.kernel.ordered.receive(1, 0)
        await os.handle(first)
        await os.kernel.control.cancel("e-1", ANN, source="/cli")
        faults.calls.clear()
        faults.crash_at(dies_at)
        await os.recover(clock, rounds=12)
        made = len(faults.calls)
        await check_key(os)
        await os.publish(step(2))
        await os.recover(clock)
        assert (await os.record("e-2"))["runs"]["take"]["state"] == "done"
        await check_at_rest(os)
        return made


async def check_key(os: Harness) -> None:
    # Cancelled before it had a record, it has never been in the list.
    if "key" in await os.record("e-1"):
        await check_at_rest(os)


async def test_a_head_that_is_cancelled_leaves_its_key_wherever_workers_die(tmp_path: Path, atomic: bool) -> None:
    for died_at in range(7):
        await cancel_the_head(tmp_path / str(died_at), atomic, died_at, -1)
    # In the list and not claimed yet: its enrol entry is there.
    calls = await cancel_the_head(tmp_path / "smooth", atomic, 5, -1)
    for dies_at in range(calls):
        try:
            await cancel_the_head(tmp_path / f"again-{dies_at}", atomic, 5, dies_at)
        except AssertionError as error:
            raise AssertionError(f"crash before call {dies_at}: {error}") from error


async def test_what_a_head_emits_is_published_before_the_next_one_begins(tmp_path: Path) -> None:
    """Its worker dies between the commit and the publishing; another comes by with the next event."""
    clock, faults = TickingClock(), Faults()
    async with an_os(tmp_path, taker(), atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(step(1), step(2))
        faults.next("send", "crash before")
        [first] = await os.kernel.ordered.receive(1, 0)
        await os.handle(first)
        assert [entry["do"] for entry in (await os.record("e-1"))["outbox"]] == ["emit", "move"]
        clock.advance(61)
        for delivery in await os.kernel.ordered.receive(1, 0):
            await os.kernel.ordered.complete(delivery.token)
        [second] = await os.kernel.ordered.receive(1, 0)
        await os.handle(second)
        assert await states(os) == {"e-1": "done", "e-2": "queued"}
        await os.recover(clock)
        assert await effects(os) == [1, 2]
        await check_at_rest(os)


async def test_an_ordered_delivery_is_completed_only_when_it_has_entered(tmp_path: Path, atomic: bool) -> None:
    clock, faults = TickingClock(), Faults()
    async with an_os(tmp_path, taker(), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(step(1))
        await os.work()
        await os.publish(step(2), step(3))
        faults.next("transact" if atomic else "replace", "meddled", times=30)
        [second] = await os.kernel.ordered.receive(1, 0)
        await os.handle(second)
        faults.end()
        assert [entry["do"] for entry in (await os.record("e-2"))["outbox"]] == ["enrol"]
        assert (await key_of(os))["list"] == []
        [again] = await os.kernel.ordered.receive(1, 0)
        assert (again.message.id, again.count) == ("e-2", 2)
        await os.handle(again)
        await os.recover(clock)
        assert await effects(os) == [1, 2, 3]


async def test_a_read_that_is_older_than_the_record_settles_no_delivery(tmp_path: Path, atomic: bool) -> None:
    """Completed, the first event would not be in line when the next one of its session comes, and be overtaken."""
    clock, faults = TickingClock(), Unseen()
    async with an_os(tmp_path, taker(), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(step(1), step(2))
        [first] = await os.kernel.ordered.receive(1, 0)
        faults.next(*(("transact", "crash after") if atomic else ("create", "crash after")))
        await os.handle(first)
        clock.advance(61)
        [again] = await os.kernel.ordered.receive(1, 0)
        assert again.message.id == "e-1"
        faults.armed = True
        await os.handle(again)
        assert not faults.armed
        [once_more] = await os.kernel.ordered.receive(1, 0)
        assert (once_more.message.id, once_more.count) == ("e-1", 3)
        await os.handle(once_more)
        await os.recover(clock)
        assert await effects(os) == [1, 2]
        await check_at_rest(os)
