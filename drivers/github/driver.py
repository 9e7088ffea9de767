"""GitHub: what happened, in one line, and a task for each new issue.

`github.activity` reads any webhook event, whose type is `github.` and the name of the webhook: `github.issues`,
`github.push`. An opened issue goes on as `github.issue.triage`, which `github.triage` turns into a task.
"""

from pydantic import BaseModel, Field

from vextir_os import Event, Result, driver

TITLE_CHARS = 120
KINDS = {
    "bug": ("bug", "broken", "crash", "error", "exception", "fail", "regression", "wrong"),
    "security": ("cve", "leak", "security", "vulnerability"),
    "question": ("how", "question", "what", "why"),
}


class Account(BaseModel):
    """A user, an app or an organisation."""

    login: str = "somebody"


class Repository(BaseModel):
    """A repository by its full name, `owner/name`."""

    full_name: str = ""


class Thing(BaseModel):
    """What a webhook is about; issues have numbers and titles, releases have names and tags."""

    number: int | None = None
    title: str | None = None
    name: str | None = None
    tag_name: str | None = None
    html_url: str | None = None


class Webhook(BaseModel):
    """The few fields that most of GitHub's webhooks share. Each may be missing; all others are ignored."""

    action: str | None = None
    sender: Account | None = None
    repository: Repository | None = None
    pull_request: Thing | None = None
    issue: Thing | None = None
    discussion: Thing | None = None
    release: Thing | None = None
    check_run: Thing | None = None
    workflow_run: Thing | None = None
    ref: str | None = None

    @property
    def thing(self) -> Thing:
        """What the webhook is about: the first that is there, else a branch or tag by its name."""
        things = (self.pull_request, self.issue, self.discussion, self.release, self.check_run, self.workflow_run)
        return next((thing for thing in things if thing is not None), Thing(name=self.ref))


class Activity(BaseModel):
    """Who did what, where."""

    who: str
    did: str
    what: str
    where: str
    url: str
    summary: str


class Issue(BaseModel):
    """An issue that wants to be looked at."""

    repository: str
    number: int
    title: str = Field(max_length=1_000)
    url: str = ""


@driver("github.activity", kind="io", capabilities=["github.*"], permissions=["emit:github.issue.triage"])
async def activity(event: Event, data: Webhook) -> Result:
    """Say in one line what happened on GitHub; send opened issues to triage."""
    seen = summarise(event.type.removeprefix("github."), data)
    if event.type != "github.issues" or data.action != "opened" or data.issue is None or data.issue.number is None:
        return Result(output=seen)
    issue = Issue(repository=seen.where, number=data.issue.number, title=one_line(data.issue.title), url=seen.url)
    return Result(output=seen, events=[Event(type="github.issue.triage", data=issue.model_dump())])


@driver("github.triage", capabilities=["github.issue.triage"], permissions=["emit:task.created"])
async def triage(data: Issue) -> Result:
    """Judge a new issue by the words of its title and make a task of it."""
    kind = kind_of(data.title)
    task = {
        "title": f"{data.repository}#{data.number}: {data.title}",
        "details": data.url,
        "priority": "high" if kind in ("bug", "security") else "normal",
    }
    return Result(output={"kind": kind}, events=[Event(type="task.created", data=task)])


def summarise(name: str, data: Webhook) -> Activity:
    """Return who did what, from the name of a webhook and its payload."""
    thing = data.thing
    label = one_line(thing.title or thing.name or thing.tag_name)
    what = f"#{thing.number} {label}".strip() if thing.number is not None else label
    who = data.sender.login if data.sender else "somebody"
    where = data.repository.full_name if data.repository else ""
    did = f"{name} {data.action}" if data.action else name
    summary = f"{who}: {did.replace('_', ' ')}" + (f" {what}" if what else "") + (f" in {where}" if where else "")
    return Activity(who=who, did=did, what=what, where=where, url=thing.html_url or "", summary=summary)


def kind_of(title: str) -> str:
    """Return `bug`, `security`, `question` or `other`: the kind that the most words of the title speak for."""
    words = title.lower().replace("?", " question ").split()
    votes = {kind: sum(word.startswith(signs) for word in words) for kind, signs in KINDS.items()}
    best = max(votes, key=lambda kind: votes[kind])
    return best if votes[best] else "other"


def one_line(text: str | None) -> str:
    """Return text from outside on one line, at most `TITLE_CHARS` long."""
    line = " ".join((text or "").split())
    return line if len(line) <= TITLE_CHARS else f"{line[: TITLE_CHARS - 1]}…"
