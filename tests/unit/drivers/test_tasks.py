from typing import Any

import pytest

from tests.support.stock import run


async def test_a_task_is_tidied() -> None:
    data = {"title": "  Send\n the  offer ", "details": " to Mara ", "due": "2026-09-20", "priority": "low"}
    result = await run("tasks.desk", "task.created", data)
    assert result.output == {
        "title": "Send the offer",
        "details": "to Mara",
        "due": "2026-09-20",
        "overdue": False,
        "priority": "low",
    }
    assert result.events == ()


@pytest.mark.parametrize(
    ("title", "due"),
    [
        ("Send the offer by Friday.", "2026-09-18"),
        ("Send the offer tomorrow", "2026-09-17"),
        ("Send the offer today", "2026-09-16"),
        ("Send the offer by Wednesday", "2026-09-16"),
        ("Send the offer until tuesday", "2026-09-22"),
        ("Send the Friday offer", None),
        ("Send the offer", None),
    ],
)
async def test_the_words_of_a_task_say_when_it_is_due(title: str, due: str | None) -> None:
    assert (await run("tasks.desk", "task.created", {"title": title})).output["due"] == due


@pytest.mark.parametrize(
    ("data", "priority", "overdue"),
    [
        ({"title": "Call Mara"}, "normal", False),
        ({"title": "Call Mara", "priority": "low"}, "low", False),
        ({"title": "Call Mara asap", "priority": "low"}, "high", False),
        ({"title": "Call Mara today"}, "high", False),
        ({"title": "Call Mara", "due": "2026-09-15"}, "high", True),
        ({"title": "Call Mara", "due": "2026-09-17"}, "normal", False),
    ],
)
async def test_what_is_urgent_or_due_has_a_high_priority(data: Any, priority: str, overdue: bool) -> None:
    output = (await run("tasks.desk", "task.created", data)).output
    assert (output["priority"], output["overdue"]) == (priority, overdue)
