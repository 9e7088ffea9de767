"""Forms that users know from the product's specification; each maps to what is inside. Nothing inside imports them."""

from vextir_os.compat.bus import emit, get_event_bus, subscribe
from vextir_os.compat.events import (
    CalendarEvent,
    ContextUpdateEvent,
    EmailEvent,
    InstructionEvent,
    LLMChatEvent,
    WorkerTaskEvent,
)

__all__ = [
    "CalendarEvent",
    "ContextUpdateEvent",
    "EmailEvent",
    "InstructionEvent",
    "LLMChatEvent",
    "WorkerTaskEvent",
    "emit",
    "get_event_bus",
    "subscribe",
]
