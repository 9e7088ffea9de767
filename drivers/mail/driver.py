"""Mail: sorts what comes in by plain rules, and turns questions into research and requests into tasks."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vextir_os import Event, Result, driver

Kind = Literal["bulk", "research", "task", "note"]

ROBOTS = ("no-reply@", "noreply@", "newsletter@", "notifications@", "mailer-daemon@")
QUESTION = re.compile(r"\b(research|find out|look into|compare|what|which|how|why|who|when)\b", re.IGNORECASE)
REQUEST = re.compile(r"\b(please|could you|can you|to-?do|action required|deadline|due)\b", re.IGNORECASE)
PREFIXES = re.compile(r"^(?:(?:re|fwd?|research|task)\s*:\s*)+", re.IGNORECASE)


class Mail(BaseModel):
    """A mail as it came in; `from` is the bare address or `Name <address>`."""

    model_config = ConfigDict(populate_by_name=True)

    sender: str = Field(alias="from", max_length=320)
    subject: str = Field(default="", max_length=1_000)
    body: str = ""


class Sorted(BaseModel):
    """What a mail was taken for, and which rule said so."""

    kind: Kind
    rule: str
    subject: str


@driver(
    "mail.sorter",
    kind="io",
    capabilities=["email.received"],
    permissions=["emit:research.request", "emit:task.created"],
)
async def sort_mail(data: Mail) -> Result:
    """Sort a mail: bulk, a question to research, a task, or a note that is only kept."""
    kind, rule = classify(data)
    subject = PREFIXES.sub("", " ".join(data.subject.split())) or "(no subject)"
    events = []
    if kind == "research":
        events.append(Event(type="research.request", data={"query": subject}))
    elif kind == "task":
        details = f"From {data.sender}: {' '.join(data.body.split())[:500]}"
        events.append(Event(type="task.created", data={"title": subject[:200], "details": details}))
    return Result(output=Sorted(kind=kind, rule=rule, subject=subject), events=events)


def classify(mail: Mail) -> tuple[Kind, str]:
    """Return the kind of a mail and the rule that decided; the first rule that holds counts."""
    address = mail.sender.rpartition("<")[2].lower()
    subject = mail.subject.strip()
    if address.startswith(ROBOTS) or "unsubscribe" in mail.body.lower():
        return "bulk", "sent by a robot, or can be unsubscribed from"
    if subject.lower().startswith("task:"):
        return "task", "the subject says so"
    if subject.lower().startswith("research:") or (subject.endswith("?") and QUESTION.search(subject)):
        return "research", "the subject asks a question"
    if REQUEST.search(subject) or REQUEST.search(mail.body[:2_000]):
        return "task", "it asks for something to be done"
    return "note", "no other rule holds"
