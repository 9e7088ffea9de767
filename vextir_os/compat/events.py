"""Typed events, as users know them from the product's specification: each builds an `Event`, its fields are the data.

`EmailEvent(type="email.received", operation="received", provider="gmail", email_data={…})` is the event of that type
with the data `{"operation": "received", "provider": "gmail", "email_data": {…}}`. What is None is left out. Further
arguments are attributes, also under the names of the plain form (`user_id`); what is in `metadata` is data as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vextir_os.events.codec_fields import ALIASES
from vextir_os.events.event import Event

Fields = Mapping[str, Any]


def EmailEvent(  # noqa: N802  the name that users know; so for all below
    *,
    operation: str,
    provider: str,
    type: str = "email",  # noqa: A002
    email_data: Fields | None = None,
    filters: Fields | None = None,
    **attributes: Any,
) -> Event:
    """Return the event of an operation on e-mail: `fetch`, `send`, `reply`, `forward`, `received`."""
    data = {"operation": operation, "provider": provider, "email_data": dict(email_data or {}), "filters": filters}
    return _event(type, data, attributes)


def CalendarEvent(  # noqa: N802
    *,
    operation: str,
    provider: str,
    type: str = "calendar",  # noqa: A002
    calendar_data: Fields | None = None,
    time_range: Fields | None = None,
    **attributes: Any,
) -> Event:
    """Return the event of an operation on a calendar: `fetch`, `create`, `update`, `delete`, `received`."""
    data = {
        "operation": operation,
        "provider": provider,
        "calendar_data": dict(calendar_data or {}),
        "time_range": time_range,
    }
    return _event(type, data, attributes)


def ContextUpdateEvent(  # noqa: N802
    *,
    context_key: str,
    update_operation: str,
    type: str = "context.update",  # noqa: A002
    content: Any = "",
    synthesis_prompt: str | None = None,
    **attributes: Any,
) -> Event:
    """Return the event that asks for a change of a context document: `append`, `replace`, `merge`, `synthesize`."""
    data = {
        "context_key": context_key,
        "update_operation": update_operation,
        "content": content,
        "synthesis_prompt": synthesis_prompt,
    }
    return _event(type, data, attributes)


def InstructionEvent(  # noqa: N802
    *,
    instruction_operation: str,
    type: str = "instruction",  # noqa: A002
    instruction_data: Fields | None = None,
    **attributes: Any,
) -> Event:
    """Return the event of an operation on an instruction: `create`, `update`, `delete`, `execute`."""
    data = {"instruction_operation": instruction_operation, "instruction_data": dict(instruction_data or {})}
    return _event(type, data, attributes)


def LLMChatEvent(  # noqa: N802
    *,
    messages: Sequence[Fields],
    type: str = "llm.chat",  # noqa: A002
    **attributes: Any,
) -> Event:
    """Return the event that asks a model for an answer; a message is `{"role": "user", "content": "…"}`."""
    return _event(type, {"messages": [dict(message) for message in messages]}, attributes)


def WorkerTaskEvent(  # noqa: N802
    *,
    type: str = "worker.task",  # noqa: A002
    task: str | None = None,
    commands: Sequence[str] | None = None,
    repo_url: str | None = None,
    cost: Fields | None = None,
    **attributes: Any,
) -> Event:
    """Return the event that asks a worker for a task, in words or as commands."""
    data = {
        "task": task,
        "commands": None if commands is None else list(commands),
        "repo_url": repo_url,
        "cost": cost,
    }
    return _event(type, data, attributes)


def _event(type_: str, data: dict[str, Any], attributes: dict[str, Any]) -> Event:
    metadata = attributes.pop("metadata", None) or {}
    given = {name: value for name, value in data.items() if value is not None}
    named = {ALIASES.get(name, name): value for name, value in attributes.items()}
    return Event(type=type_, data={**metadata, **given}, **named)
