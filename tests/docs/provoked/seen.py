"""What somebody sees of an error: its code and its text."""

import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.harness import an_os
from vextir_os.errors import ProblemsError, VextirError
from vextir_os.events.event import Event


class Seen(NamedTuple):
    """A code, and the whole text that came with it."""

    code: str
    text: str


Provocation = Callable[[Path], Coroutine[Any, Any, Seen]]


async def raised(call: Callable[[], Any]) -> Seen:
    """Call, and return the error that comes of it."""
    try:
        found = call()
        if inspect.isawaitable(found):
            await found
    except VextirError as error:
        return Seen(error.code, str(error))
    raise AssertionError("nothing was raised")


async def reported(call: Callable[[], Any]) -> Seen:
    """Call, and return the first of the problems that come of it together."""
    try:
        found = call()
        if inspect.isawaitable(found):
            await found
    except ProblemsError as error:
        return Seen(error.problems[0].code, str(error.problems[0]))
    raise AssertionError("no problems were raised")


async def recorded(folder: Path, *drivers: Callable[..., Any], data: Any = None, **settings: Any) -> Seen:
    """Run one event of type `order.placed` to its end and return the error that stands on its first run."""
    async with an_os(folder, *drivers, **settings) as os:
        (record,) = await os.run(Event(id="e-1", type="order.placed", data=data))
    error = next(iter(record["runs"].values()))["error"]
    return Seen(error["code"], error["message"])
