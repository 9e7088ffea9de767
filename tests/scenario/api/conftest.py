"""What meets the network is tested on both event loops: that of Python, and uvloop, on which `vextir dev` runs."""

import asyncio
import importlib.util
from collections.abc import Callable

import pytest

BOTH = {"test_hostile.py", "test_serving.py"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in BOTH and importlib.util.find_spec("uvloop"):
        import uvloop

        factories["uvloop"] = uvloop.new_event_loop
    return factories
