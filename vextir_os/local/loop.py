"""The event loop of a process that only runs the OS: uvloop where it is installed, and a patient collector."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_COLLECT_AFTER = (50_000, 20, 50)
"""Allocations between two collections of the youngest generation, and how many of those make an older one."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a new event loop and return its result.

    Python's collector by default looks for cycles after each 700 allocations, which is several times an event, and
    walks all that was ever imported in doing so. What is there now is taken out of its sight, and it looks less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
