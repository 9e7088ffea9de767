"""Forms that users know from the product's specification; each maps to what is inside. Nothing inside imports them."""

from vextir_os.compat.bus import emit, get_event_bus, subscribe
from vextir_os.compat.current import use_kernel
from vextir_os.compat.drivers import DriverManifest, DriverRegistry, ResourceSpec, driver
from vextir_os.compat.events import (
    CalendarEvent,
    ContextUpdateEvent,
    EmailEvent,
    InstructionEvent,
    LLMChatEvent,
    WorkerTaskEvent,
)
from vextir_os.compat.examples import register_example_drivers
from vextir_os.driverkit.bases import AgentDriver, IODriver, ToolDriver, UIDriver

__all__ = [
    "AgentDriver",
    "CalendarEvent",
    "ContextUpdateEvent",
    "DriverManifest",
    "DriverRegistry",
    "EmailEvent",
    "IODriver",
    "InstructionEvent",
    "LLMChatEvent",
    "ResourceSpec",
    "ToolDriver",
    "UIDriver",
    "WorkerTaskEvent",
    "driver",
    "emit",
    "get_event_bus",
    "register_example_drivers",
    "subscribe",
    "use_kernel",
]
