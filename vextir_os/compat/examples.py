"""Two small drivers in the form of the product's specification, to try the OS out in a notebook."""

from vextir_os.compat.current import current_kernel
from vextir_os.compat.drivers import DriverManifest, DriverRegistry, ResourceSpec
from vextir_os.driverkit.bases import AgentDriver, ToolDriver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.events.event import Event


class ResearchAgent(AgentDriver):
    """Answer a research request with an outline, without a model."""

    async def handle_event(self, event: Event) -> list[Event]:
        """Return one `research.completed`."""
        topic = str(event.data.get("topic") or event.data.get("query") or "nothing") if event.data else "nothing"
        outline = [f"What is {topic}?", f"Who works on {topic}?", f"What is open about {topic}?"]
        return [Event(type="research.completed", data={"topic": topic, "outline": outline})]

    def get_capabilities(self) -> list[str]:
        """Return the types of events handled."""
        return ["research.request"]

    def get_resource_requirements(self) -> ResourceSpec:
        """Return what a run needs."""
        return ResourceSpec(memory="512MB", timeout="30s")


class EchoTool(ToolDriver):
    """Say again what was said."""

    async def handle_event(self, event: Event) -> list[Event]:
        """Return one `echo.reply`."""
        return [Event(type="echo.reply", data=event.data)]

    def get_capabilities(self) -> list[str]:
        """Return the types of events handled."""
        return ["echo.request"]


async def register_example_drivers() -> list[Manifest]:
    """Add the examples to the current kernel, those that are not there yet, and return their manifests.

    Raises:
        DriverError: There is no kernel in this context.
    """
    registry = current_kernel().registry
    examples = {"research_agent": ResearchAgent, "echo_tool": EchoTool}
    for name, cls in examples.items():
        if registry.find(name) is None:
            await DriverRegistry.register(DriverManifest(name), cls)
    return [registry.get(name) for name in examples]
