"""Vextir OS: an event-processing operating system for AI agents.

What a driver needs stands here. Importing this package imports no cloud, model or web SDK, no pydantic and no driver.
"""

from vextir_os.driverkit.bases import AgentDriver, IODriver, ToolDriver, UIDriver
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import ForbiddenError, InvalidError, ThrottledError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event

__version__ = "0.1.0"

__all__ = [
    "AgentDriver",
    "Context",
    "Event",
    "ForbiddenError",
    "IODriver",
    "InvalidError",
    "Result",
    "Retry",
    "ThrottledError",
    "ToolDriver",
    "TransientError",
    "UIDriver",
    "__version__",
    "driver",
]
