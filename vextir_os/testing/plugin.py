"""The pytest plugin: the fixture `os`. Comes with the wheel, and imports nothing that a test does not ask for.

A test that takes the fixture may be a coroutine: it is run by pytest-asyncio or anyio where they are in charge of it,
else here.
"""

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vextir_os.testing.system import OS

_OTHERS = ("asyncio", "anyio", "trio")


@pytest.fixture(name="os")
def an_os(request: pytest.FixtureRequest) -> "Iterator[OS]":
    """An OS under test, with the drivers and policies of the project that the test file lies in."""
    from vextir_os.testing.opening import open_os
    from vextir_os.testing.project import find_project

    with open_os(root=find_project(request.path.parent)) as opened:
        yield opened


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, takes an OS under test, and is nobody else's."""
    given = pyfuncitem.funcargs.get("os")
    if type(given).__module__ != "vextir_os.testing.system" or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    if any(pyfuncitem.get_closest_marker(name) for name in _OTHERS):
        return None
    import asyncio

    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
