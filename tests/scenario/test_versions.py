"""Several versions of a driver beside each other: who gets which event, and what a run that has begun goes on with."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import ALLOW_ALL, ANN, Harness, an_os
from vextir_os import Event, TransientError, driver
from vextir_os.errors import DeniedError, InvalidEventError, ManifestProblemsError, RunStateError, UnknownDriverError
from vextir_os.policy.model import Match, Policy
from vextir_os.registry.registry import Registry
from vextir_os.runs.record import EVENTS


def sorter(version: str, weight: int | None = None, **options: Any) -> Callable[..., Any]:
    """Return one version of a driver, which answers with its version, or fails once where `options` say so."""
    fails = options.pop("fails", [])

    @driver("mail.sorter", version=version, weight=weight, **{"capabilities": ["mail.received"], **options})
    async def sort(event: Event) -> str:
        if fails:
            raise fails.pop()
        return version

    return sort


def run_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    run: Mapping[str, Any] = record["runs"]["mail.sorter"]
    return run


async def answers(os: Harness, number: int = 200, first: int = 0) -> list[str]:
    """Publish events and return with which version each was handled."""
    await os.publish(*(Event(id=f"e-{first + index}", type="mail.received") for index in range(number)))
    await os.work()
    return [run_of(await os.record(f"e-{first + index}"))["output"] for index in range(number)]


async def test_new_events_are_divided_by_weight_and_each_run_carries_its_version(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, sorter("1"), sorter("2", 10), atomic=atomic, clock=FakeClock(), working=False) as os:
        given = Counter(await answers(os))
        assert given == {"1": 182, "2": 18}
        assert all(run_of(record)["version"] == run_of(record)["output"] for record in await os.records())


async def test_versions_without_weights_share_alike(tmp_path: Path) -> None:
    async with an_os(tmp_path, sorter("1"), sorter("2"), clock=FakeClock(), working=False) as os:
        given = Counter(await answers(os))
    assert abs(given["1"] - given["2"]) < 40


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
async def test_the_same_events_choose_the_same_versions(tmp_path: Path, atomic: bool, delivery: str) -> None:
    drivers = sorter("1", delivery=delivery), sorter("2", 50, delivery=delivery)
    async with an_os(tmp_path / "a", *drivers, atomic=atomic, clock=FakeClock(), working=False) as os:
        first = await answers(os, 50)
        assert set(first) == {"1", "2"}
        assert await answers(os, 50) == first
        assert len(await os.records()) == 50
    async with an_os(tmp_path / "b", *reversed(drivers), atomic=atomic, clock=FakeClock(), working=False) as other:
        assert await answers(other, 50) == first


async def test_a_larger_part_keeps_the_events_of_a_smaller_one(tmp_path: Path) -> None:
    handled = {}
    for weight in (10, 30):
        drivers = sorter("1"), sorter("2", weight)
        async with an_os(tmp_path / str(weight), *drivers, clock=FakeClock(), working=False) as os:
            handled[weight] = {number for number, answer in enumerate(await answers(os)) if answer == "2"}
    assert handled[10] < handled[30]


async def test_a_version_gets_events_of_a_type_that_it_alone_handles(tmp_path: Path) -> None:
    both = sorter("1"), sorter("2", 1, capabilities=["mail.received", "mail.sent"])
    async with an_os(tmp_path, *both, clock=FakeClock(), working=False) as os:
        await os.publish(*(Event(id=f"e-{number}", type="mail.sent") for number in range(5)))
        await os.work()
        assert {run_of(record)["output"] for record in await os.records("mail.sent")} == {"2"}


async def test_without_any_weight_nobody_gets_the_event_and_the_record_says_so(tmp_path: Path, atomic: bool) -> None:
    drivers = sorter("1", 0), sorter("2", 0)
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        record = await os.record("e-1")
    assert record["runs"] == {}
    assert record["left_out"] == {
        "mail.sorter": "driver mail.sorter has no version for this type with a weight above 0"
    }


async def test_a_retry_stays_with_its_version_whatever_the_weights_have_become(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    drivers = sorter("1", fails=[TransientError("down")]), sorter("2", 0)
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        assert run_of(await os.record("e-1"))["state"] == "retry"
        await os.kernel.switching.weigh("mail.sorter", {"1": 0, "2": 100}, ANN)
        await os.recover(clock)
        run = run_of(await os.record("e-1"))
        assert (run["output"], run["version"], "began_with" in run) == ("1", "1", False)
        assert await answers(os, 3, first=10) == ["2", "2", "2"]


async def test_a_takeover_goes_on_with_the_version_of_the_dead(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    drivers = sorter("1", 100), sorter("2", 0)
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await dies_while_it_runs(os, "e-1")
        await os.kernel.switching.weigh("mail.sorter", {"1": 0, "2": 100}, ANN)
        await os.recover(clock)
        run = run_of(await os.record("e-1"))
        assert (run["output"], run["takeovers"]) == ("1", 1)


async def dies_while_it_runs(os: Harness, event_id: str) -> None:
    """Leave a record as a worker leaves it that is killed in its driver: running, under a lease."""
    await os.work()
    record = dict(await os.record(event_id))
    stored = await os.kernel.store.read(EVENTS, record["pk"], record["id"])
    now = os.kernel.clock.time()
    run = {**run_of(record), "state": "running", "owner": "gone.1", "lease_until": now + 45, "output": None}
    after = {**record, "runs": {"mail.sorter": run}, "due": now + 47, "lanes": ["batch"]}
    await os.kernel.store.replace(EVENTS, after, if_match=stored.etag)


async def test_a_version_that_is_gone_leaves_its_run_to_the_one_that_is_there_and_the_record_says_so(
    tmp_path: Path, atomic: bool
) -> None:
    clock = FakeClock()
    failing = sorter("1", fails=[TransientError("down")])
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        assert run_of(await os.record("e-1"))["version"] == "1"
    async with an_os(tmp_path, sorter("2", 0), sorter("3"), atomic=atomic, clock=clock, working=False) as os:
        await os.recover(clock)
        run = run_of(await os.record("e-1"))
    assert (run["output"], run["version"], run["began_with"], run["state"]) == ("3", "3", "1", "done")


async def test_a_record_of_before_there_were_versions_is_run_as_it_was(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    one = sorter("1", fails=[TransientError("down")])
    async with an_os(tmp_path, one, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        record = dict(await os.record("e-1"))
        stored = await os.kernel.store.read(EVENTS, record["pk"], record["id"])
        old = {name: value for name, value in run_of(record).items() if name != "version"}
        await os.kernel.store.replace(EVENTS, {**record, "runs": {"mail.sorter": old}}, if_match=stored.etag)
        await os.recover(clock)
        run = run_of(await os.record("e-1"))
    assert (run["output"], run["version"], "began_with" in run) == ("1", "1", False)


async def test_a_replay_takes_the_version_that_new_events_get(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    drivers = sorter("1", fails=[ValueError("broken")] * 3), sorter("2", 0)
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.recover(clock)
        [letter] = await os.dead_letters("run")
        await os.kernel.switching.weigh("mail.sorter", {"1": 0, "2": 100}, ANN)
        await os.kernel.dead_letters.replay(letter["id"], ANN)
        await os.work()
        run = run_of(await os.record("e-1"))
    assert (run["output"], run["version"], run["rerun"]) == ("2", "2", 1)
    assert "began_with" not in run


async def test_weights_are_changed_without_a_restart_and_given_back(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    drivers = sorter("1", 100), sorter("2", 0)
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=clock, working=False) as os:
        assert set(await answers(os, 5)) == {"1"}
        switching = os.kernel.switching
        assert await switching.weigh("mail.sorter", {"1": 0, "2": 7}, ANN) == {"1": 0.0, "2": 7.0}
        assert set(await answers(os, 5, first=10)) == {"2"}
        assert await switching.weigh("mail.sorter", {"1": 3}, ANN) == {"1": 3.0, "2": 7.0}
        assert await switching.weigh("mail.sorter", {}, ANN) == {"1": 100.0, "2": 0.0}
        assert set(await answers(os, 5, first=20)) == {"1"}


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({"3": 10}, InvalidEventError, "driver mail.sorter has no version '3'. It has 1, 2"),
        ({"2": 101}, InvalidEventError, "101 is no weight. Use a whole number from 0 to 100"),
        ({"2": True}, InvalidEventError, "True is no weight"),
        ({"2": -1}, InvalidEventError, "-1 is no weight"),
    ],
)
async def test_a_weight_that_is_none_is_refused(
    tmp_path: Path, weights: Mapping[str, int], error: type[Exception], message: str
) -> None:
    async with an_os(tmp_path, sorter("1"), sorter("2"), working=False) as os:
        with pytest.raises(error, match=message):
            await os.kernel.switching.weigh("mail.sorter", weights, ANN)


async def test_a_driver_with_one_version_has_no_weights(tmp_path: Path) -> None:
    async with an_os(tmp_path, sorter("1"), working=False) as os:
        with pytest.raises(RunStateError, match=r"driver mail\.sorter has one version, which gets all its events"):
            await os.kernel.switching.weigh("mail.sorter", {"1": 5}, ANN)
        with pytest.raises(UnknownDriverError, match=r"Did you mean `mail\.sorter`"):
            await os.kernel.switching.weigh("mail.sorted", {"1": 5}, ANN)


async def test_who_may_not_switch_changes_no_weights(tmp_path: Path) -> None:
    no = Policy(id="no", effect="deny", match=Match(action=("admin:switch",)), priority=9)
    async with an_os(tmp_path, sorter("1"), sorter("2"), policies=(*ALLOW_ALL, no), working=False) as os:
        with pytest.raises(DeniedError, match="user:ann may not switch any driver"):
            await os.kernel.switching.weigh("mail.sorter", {"2": 5}, ANN)
        assert (await os.kernel.switching.listed())["weights"] == {}


def test_the_same_version_twice_is_refused() -> None:
    with pytest.raises(ManifestProblemsError, match=r"driver id `mail\.sorter` is declared twice, here and at"):
        Registry.of(sorter("2"), sorter("2"))
