"""Tasks: gives each new task a clean title, a day on which it is due, and a priority."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, Field

from vextir_os import Context, driver

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
URGENT = ("asap", "immediately", "today", "urgent")
Priority = Literal["low", "normal", "high"]


class NewTask(BaseModel):
    """A task as somebody wrote it down. Without `due`, the words of the text say when."""

    title: str = Field(min_length=1, max_length=1_000)
    details: str = Field(default="", max_length=10_000)
    due: date | None = None
    priority: Priority = "normal"


class Task(BaseModel):
    """A task as it is kept."""

    title: str
    details: str
    due: date | None
    overdue: bool
    priority: Priority


@driver("tasks.desk", capabilities=["task.created"])
async def take_task(ctx: Context, data: NewTask) -> Task:
    """Tidy a task: one line of title, a due day, a priority."""
    today = ctx.now.date()
    text = f"{data.title} {data.details}".lower()
    due = data.due or due_day(text, today)
    urgent = any(word in text.split() for word in URGENT) or (due is not None and due <= today)
    return Task(
        title=" ".join(data.title.split()),
        details=data.details.strip(),
        due=due,
        overdue=due is not None and due < today,
        priority="high" if urgent else data.priority,
    )


def due_day(text: str, today: date) -> date | None:
    """Return the day that a text names, "today", "tomorrow" or "by friday", counted from today; None without one."""
    words = [word.strip(".,;:!?()") for word in text.split()]
    if "today" in words:
        return today
    if "tomorrow" in words:
        return today + timedelta(days=1)
    for before, word in pairwise(words):
        if before in ("by", "until", "on", "this") and word in WEEKDAYS:
            # The next such day; a text written on a Friday that says "by friday" means this one.
            return today + timedelta(days=(WEEKDAYS.index(word) - today.weekday()) % 7)
    return None
