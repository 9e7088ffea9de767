"""Each typed event as users write it, and the event that it is."""

import pytest

from vextir_os.compat import (
    CalendarEvent,
    ContextUpdateEvent,
    EmailEvent,
    InstructionEvent,
    LLMChatEvent,
    WorkerTaskEvent,
)
from vextir_os.errors import InvalidEventError
from vextir_os.events.codec import decode_one, encode
from vextir_os.events.event import Event


def test_an_email_event_is_an_event_with_its_fields_as_data() -> None:
    event = EmailEvent(
        type="email.received",
        operation="received",
        provider="gmail",
        email_data={"from": "client@example.com", "subject": "Meeting Request"},
    )

    assert event == Event(
        type="email.received",
        data={
            "operation": "received",
            "provider": "gmail",
            "email_data": {"from": "client@example.com", "subject": "Meeting Request"},
        },
    )
    assert event.data.email_data.subject == event.data["email_data"]["subject"] == "Meeting Request"


def test_a_calendar_event_is_an_event_with_its_fields_as_data() -> None:
    event = CalendarEvent(
        type="calendar.meeting.upcoming",
        operation="received",
        provider="outlook",
        calendar_data={"title": "Review"},
        time_range={"days": 1},
    )

    assert event.type == "calendar.meeting.upcoming"
    assert event.data == {
        "operation": "received",
        "provider": "outlook",
        "calendar_data": {"title": "Review"},
        "time_range": {"days": 1},
    }


def test_a_context_update_event_is_an_event_with_its_fields_as_data() -> None:
    event = ContextUpdateEvent(context_key="/Projects/Alpha", update_operation="append", content="done")

    assert event == Event(
        type="context.update",
        data={"context_key": "/Projects/Alpha", "update_operation": "append", "content": "done"},
    )


def test_an_instruction_event_is_an_event_with_its_fields_as_data() -> None:
    event = InstructionEvent(instruction_operation="create", instruction_data={"id": "daily"})

    assert event == Event(
        type="instruction", data={"instruction_operation": "create", "instruction_data": {"id": "daily"}}
    )


def test_an_llm_chat_event_is_an_event_with_its_fields_as_data() -> None:
    event = LLMChatEvent(type="llm.chat.request", messages=[{"role": "user", "content": "Hi"}])

    assert event == Event(type="llm.chat.request", data={"messages": [{"role": "user", "content": "Hi"}]})


def test_a_worker_task_event_is_an_event_with_its_fields_as_data() -> None:
    event = WorkerTaskEvent(task="Fix the build", commands=("make",), repo_url="https://example.com/r.git")

    assert event == Event(
        type="worker.task",
        data={"task": "Fix the build", "commands": ["make"], "repo_url": "https://example.com/r.git"},
    )


def test_attributes_may_be_given_under_their_older_names() -> None:
    event = EmailEvent(operation="send", provider="gmail", id="e1", source="/s", user_id="ann", metadata={"extra": 1})

    assert (event.type, event.userid, event.data.extra, event.data.operation) == ("email", "ann", 1, "send")
    assert decode_one(encode(event)) == event


def test_an_attribute_that_no_event_has_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'usr'"):
        EmailEvent(operation="send", provider="gmail", usr="ann")


def test_a_wrong_type_is_refused_as_for_every_event() -> None:
    with pytest.raises(InvalidEventError, match=r"^event type 'Email' is not dotted lower case"):
        EmailEvent(type="Email", operation="send", provider="gmail")
