"""Runs that wait before they begin, for their key, their lane, a limit or a pause, begin with the version they got."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenario.test_versions import run_of, sorter
from tests.support.clock import FakeClock
from tests.support.harness import ANN, Harness, an_os
from vextir_os import Event

ALL_TO_TWO = {"1": 0, "2": 100}


async def two_events(os: Harness, **attributes: Any) -> None:
    await os.publish(*(Event(id=f"e-{number}", type="mail.received", **attributes) for number in (1, 2)))


@pytest.mark.parametrize(
    ("options", "attributes"),
    [
        pytest.param({}, {"partitionkey": "ann", "ordered": True}, id="key"),
        pytest.param({"timeout": "5m"}, {}, id="lane"),
        pytest.param({"concurrency": 1}, {}, id="limit"),
    ],
)
async def test_what_waited_begins_with_the_version_that_it_got(
    tmp_path: Path, atomic: bool, options: dict[str, Any], attributes: dict[str, Any]
) -> None:
    clock = FakeClock()
    drivers = sorter("1", 100, **options), sorter("2", 0, **options)
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("driver", "mail.sorter", ANN)
        await two_events(os, **attributes)
        await os.work()
        assert {run_of(record)["version"] for record in await os.records()} == {"1"}
        await os.kernel.switching.weigh("mail.sorter", ALL_TO_TWO, ANN)
        await os.kernel.pausing.resume("driver", "mail.sorter", ANN)
        await os.recover(clock)
        runs = [run_of(record) for record in await os.records()]
    assert [(run["state"], run["output"], run["version"]) for run in runs] == [("done", "1", "1")] * 2


async def test_what_waited_while_its_driver_was_turned_off_begins_all_the_same(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, sorter("1"), atomic=atomic, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("driver", "mail.sorter", ANN)
        await two_events(os)
        await os.work()
        await os.kernel.switching.off("mail.sorter", ANN)
        await os.kernel.pausing.resume("driver", "mail.sorter", ANN)
        await os.recover(clock)
        assert {run_of(record)["state"] for record in await os.records()} == {"done"}
