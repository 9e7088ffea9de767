"""Drivers in the forms of the product's specification, one test for each form."""

from pathlib import Path

import pytest

from tests.support.drivers import write_driver
from tests.support.harness import an_os
from vextir_os import compat
from vextir_os.compat import (
    AgentDriver,
    DriverManifest,
    DriverRegistry,
    ResourceSpec,
    ToolDriver,
    register_example_drivers,
    subscribe,
    use_kernel,
)
from vextir_os.errors import DriverError, ManifestError, ManifestProblemsError
from vextir_os.events.event import Event
from vextir_os.registry.discover import discover
from vextir_os.registry.index import build_index, write_index
from vextir_os.registry.registry import Registry

CLASS = '''
from vextir_os.compat import AgentDriver, ResourceSpec
from vextir_os.compat import driver as declared

@declared("research_agent")
class Research(AgentDriver):
    """Look something up."""

    async def handle_event(self, event):
        return [Event(type="research.completed", data={"topic": event.data["topic"]})]

    def get_capabilities(self):
        return ["research.request"]

    def get_resource_requirements(self):
        return ResourceSpec(memory="512MB", timeout="45s")
'''
REQUEST = Event(id="e-1", type="research.request", data={"topic": "AI trends"})


class Custom(ToolDriver):
    """Say that it was done."""

    async def handle_event(self, event: Event) -> list[Event]:
        return [Event(type="custom.done", data=event.data)]

    def get_capabilities(self) -> list[str]:
        return ["custom.wanted"]


async def test_a_class_of_a_file_is_found_and_run(tmp_path: Path, atomic: bool) -> None:
    write_driver(tmp_path, "research", CLASS)
    (manifest,) = discover(tmp_path)
    assert (manifest.id, manifest.kind, manifest.form, manifest.capabilities) == (
        "research_agent",
        "agent",
        "class",
        ("research.request",),
    )
    assert (manifest.memory_bytes, manifest.timeout_s, manifest.permissions) == (512_000_000, 45.0, ("emit:**",))
    assert (manifest.description, manifest.entry, manifest.line) == (
        "Look something up.",
        "drivers/research/driver.py:Research",
        6,
    )
    write_index(tmp_path, build_index(tmp_path))
    async with an_os(tmp_path, registry=Registry.open(tmp_path), atomic=atomic) as os:
        (record,) = await os.run(REQUEST)
        assert record["runs"]["research_agent"]["state"] == "done"
        assert [one["event"]["data"] for one in await os.records("research.completed")] == [{"topic": "AI trends"}]


async def test_a_class_of_a_file_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    write_driver(tmp_path, "research", CLASS.replace('"research_agent"', '"research_agent", isolation="process"'))
    write_index(tmp_path, build_index(tmp_path))
    async with an_os(tmp_path, registry=Registry.open(tmp_path)) as os:
        (record,) = await os.run(REQUEST)
        assert record["runs"]["research_agent"]["state"] == "done", record["runs"]


async def test_a_driver_is_registered_while_the_os_runs(tmp_path: Path, atomic: bool) -> None:
    wanted = Event(id="e-1", type="custom.wanted", data={"n": 1})
    needs = ResourceSpec(memory="512MB", timeout="10s")
    manifest = DriverManifest(
        id="custom_driver", name="Custom", author="Ann", version="1.0.0", resource_requirements=needs
    )
    async with an_os(tmp_path, atomic=atomic) as os:
        with use_kernel(os.kernel):
            added = await DriverRegistry.register(manifest, Custom)
        assert (added.id, added.version, added.description, added.timeout_s) == (
            "custom_driver",
            "1.0.0",
            "Custom (by Ann)",
            10.0,
        )
        (record,) = await os.run(wanted)
        assert record["runs"]["custom_driver"]["state"] == "done"
        assert len(await os.records("custom.done")) == 1


async def test_one_class_may_be_registered_under_two_manifests_and_none_twice(tmp_path: Path) -> None:
    async with an_os(tmp_path) as os:
        with use_kernel(os.kernel):
            await DriverRegistry.register(DriverManifest("first"), Custom)
            await DriverRegistry.register(DriverManifest("second", capabilities=["other.*"]), Custom)
            with pytest.raises(ManifestProblemsError, match="1 problem found"):
                await DriverRegistry.register(DriverManifest("first"), Custom)
        assert [one.id for one in os.kernel.registry.route("custom.wanted")] == ["first"]
        assert [one.id for one in os.kernel.registry.route("other.thing")] == ["second"]


async def test_the_example_drivers_are_registered_and_answer(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, atomic=atomic) as os:
        with use_kernel(os.kernel):
            assert [one.id for one in await register_example_drivers()] == ["research_agent", "echo_tool"]
            assert [one.id for one in await register_example_drivers()] == ["research_agent", "echo_tool"]
        await os.run(REQUEST, Event(id="e-2", type="echo.request", data={"said": 1}))
        (completed,) = await os.records("research.completed")
        assert completed["event"]["data"]["topic"] == "AI trends"
        (reply,) = await os.records("echo.reply")
        assert reply["event"]["data"] == {"said": 1}


async def test_without_an_os_in_the_context_nothing_is_registered() -> None:
    with pytest.raises(DriverError) as caught:
        await DriverRegistry.register(DriverManifest("custom_driver"), Custom)
    assert str(caught.value) == (
        "there is no OS in this context. Run within `with use_kernel(kernel):`, or put the driver into a file"
    )
    with pytest.raises(DriverError):
        await register_example_drivers()


class Watcher(AgentDriver):
    """Keep what failed."""

    async def handle_event(self, event: Event) -> list[Event]:
        return [Event(type="watched", data={"driver": event.data["driver"]})]


class Failing(ToolDriver):
    """Fail."""

    async def handle_event(self, event: Event) -> list[Event]:
        raise compat_error()


def compat_error() -> Exception:
    return ManifestError("cannot do that")


async def test_an_error_of_a_driver_is_seen_as_an_error_event_with_driver_and_cause(
    tmp_path: Path, atomic: bool
) -> None:
    async with an_os(tmp_path, atomic=atomic) as os:
        with use_kernel(os.kernel):
            await DriverRegistry.register(DriverManifest("failing", capabilities=["job.sent"]), Failing)
            await DriverRegistry.register(DriverManifest("watcher", capabilities=["error"]), Watcher)
            async with subscribe("error") as errors:
                await os.run(Event(id="e-1", type="job.sent"))
                event = await anext(errors)
        assert (event.type, event.causationid, event.data["driver"]) == ("vextir.error", "e-1", "failing")
        assert event.data["error"]["message"] == "cannot do that"
        assert [one["event"]["data"] for one in await os.records("watched")] == [{"driver": "failing"}]


def test_what_is_wrong_with_a_class_is_said_where_it_stands(tmp_path: Path) -> None:
    write_driver(tmp_path, "broken", CLASS.replace('["research.request"]', "self.types"))
    with pytest.raises(ManifestProblemsError) as caught:
        discover(tmp_path)
    (problem,) = map(str, caught.value.problems)
    assert problem == (
        "drivers/broken/driver.py:6: driver `research_agent`: `Research.get_capabilities` raises AttributeError: "
        "'Research' object has no attribute 'types'. Return it as it is, without what `__init__` sets"
    )


def test_a_class_without_handle_event_says_what_to_write() -> None:
    with pytest.raises(ManifestError) as caught:

        @compat.driver("empty", capabilities=["a"])
        class Empty:
            pass

    assert "driver `empty`: class `Empty` has no method `handle`" in str(caught.value)
    assert caught.value.where.startswith(__file__)
