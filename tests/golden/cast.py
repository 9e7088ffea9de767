"""Drivers and events of golden data, and the time at which they were played. Kept as they are: old data name them."""

from collections.abc import Callable
from typing import Any

from vextir_os import Context, Event, InvalidError, Result, ThrottledError, driver

PLAYED_AT = 1_800_000_000.0

SOURCE = '''
from vextir_os import Event, driver

@driver("golden.echo", capabilities=["golden.asked"], timeout="20s")
async def echo(event: Event) -> dict:
    """Give back what came in."""
    return {"said": event.data}
'''


@driver("golden.take", capabilities=["golden.asked", "golden.large"], permissions=["emit:golden.taken"])
async def take(event: Event, ctx: Context) -> Result:
    if event.data.get("bad") and not ctx.rerun:
        raise InvalidError("this one is bad")
    return Result(output={"took": len(event.data)}, events=[Event(type="golden.taken", data={"of": event.id})])


@driver("golden.later", capabilities=["golden.later"])
async def later(event: Event, ctx: Context) -> str:
    if ctx.attempt == 1:
        raise ThrottledError("come back", retry_after_s=600)
    return "came back"


def drivers() -> list[Callable[..., Any]]:
    return [take, later]


DONE = [
    Event(id="g-1", type="golden.asked", data={"n": 1}, labels=("pii",), source="/golden"),
    Event(id="g-2", type="golden.asked", data={"bad": True}),
    Event(id="g-3", type="golden.large", data={"text": "golden " * 10_000}),
    Event(id="g-4", type="golden.unrouted", data=None, null_data=True),
    Event(id="g-5", type="golden.denied"),
    Event(id="g-6", type="golden.asked", data={"n": 6}, partitionkey="key", ordered=True),
    Event(id="g-7", type="golden.later"),
]
"""Played until nothing moves: `g-2` is dead, `g-7` waits for its second attempt."""

WAITING = [
    Event(id="w-1", type="golden.asked", data={"n": 7}),
    Event(id="w-2", type="golden.asked", data={"n": 8}, partitionkey="key", ordered=True),
    Event(id="w-3", type="golden.large", data={"text": "waiting " * 9_000}),
]
"""On the queues, taken by nobody."""
