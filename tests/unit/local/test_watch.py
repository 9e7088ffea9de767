"""Waiting until nothing is left: whoever waits goes on only when that is so, not when it was so for a moment."""

import asyncio

from vextir_os.events.event import Event
from vextir_os.local.watch import Watch


async def test_who_waits_is_not_woken_by_a_moment_in_which_nothing_was_open() -> None:
    watch = Watch()
    watch.expect("e-1")
    waiting = asyncio.create_task(watch.idle())
    await asyncio.sleep(0)
    # Told in one go: the first is finished, and it has caused another.
    watch.forget("e-1")
    watch.emitted(Event(id="e-2", type="job.done"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    watch.forget("e-2")
    await asyncio.wait_for(waiting, 5)


async def test_without_anything_open_nobody_waits() -> None:
    await asyncio.wait_for(Watch().idle(), 5)
