"""What one agent alone does not show: names that two share, and names that lead nowhere. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vextir_os.driverkit.agent import AgentSpec
from vextir_os.errors import ManifestError, VextirError, did_you_mean, shown
from vextir_os.registry.forms.files import MAIN_SLUG
from vextir_os.registry.forms.fitting import at
from vextir_os.registry.forms.markdown import Page
from vextir_os.registry.forms.spec import Around

if TYPE_CHECKING:
    from vextir_os.registry.forms.agent_model import AgentPart, Chosen, Delegate


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """An agent whose own file is in order."""

    path: Path
    name: str
    slug: str
    part: "AgentPart"
    page: Page
    spec: AgentSpec


def together(drafts: Sequence[Drafted], around: Around, problems: list[VextirError], notes: list[VextirError]) -> None:
    """Add what is wrong with agents beside each other to `problems`, and what only looks wrong to `notes`."""
    problems += _repeated(drafts)
    named = {other.agent for draft in drafts for other in _others(draft)}
    for draft in drafts:
        problems += _lonely(draft, named)
        problems += _references(draft, drafts, around)
        problems += _http_only(draft)
        problems += _names(draft, "mcp", draft.part.mcp, around.servers)
        notes += _names(draft, "skills", draft.part.skills, around.skills)
        notes += _names(draft, "tools", draft.part.tools, around.tools)
        if draft.part.workflows.enabled and draft.slug != MAIN_SLUG:
            notes.append(
                _problem(draft, f"workflows are started by `{MAIN_SLUG}` alone", "Remove the key", "workflows")
            )
        if draft.part.trigger and "auth_level" in draft.part.trigger.args:
            place = ("trigger", "args", "auth_level")
            notes.append(_problem(draft, "`auth_level` is out of date", "Write `http_auth`", *place))


def _repeated(drafts: Sequence[Drafted]) -> Iterator[VextirError]:
    first: dict[str, Drafted] = {}
    for draft in drafts:
        other = first.setdefault(draft.slug.lower(), draft)
        if other is draft:
            continue
        how = "is" if other.slug == draft.slug else "differs only in case from"
        what = f"the agent's name `{draft.slug}` {how} that of {other.name}"
        yield ManifestError(what, hint="Rename one of the files", where=draft.name)


def _lonely(draft: Drafted, named: set[str]) -> Iterator[VextirError]:
    if draft.part.trigger is None and not draft.spec.endpoints and draft.slug not in named:
        what = f"nothing reaches the agent `{draft.slug}`"
        hint = "Give it a `trigger` or `builtin_endpoints: true`, or name it in the `subagents` of another agent"
        yield ManifestError(what, hint=hint, where=draft.name)


def _references(draft: Drafted, drafts: Sequence[Drafted], around: Around) -> Iterator[VextirError]:
    slugs = [other.slug for other in drafts if other is not draft]
    lists: list[tuple[tuple[str, ...], Sequence[Delegate]]] = [
        (("subagents",), draft.part.subagents),
        (("workflows", "subagents"), draft.part.workflows.subagents),
    ]
    for path, delegates in lists:
        seen: set[str] = set()
        for index, delegate in enumerate(delegates):
            place: Sequence[str | int] = (*path, index, "agent")
            # What messages show is what is written: the environment may hold secrets.
            written = shown(str(at(draft.page.front.value, place)))
            if delegate.agent == draft.slug:
                yield _problem(draft, f"the agent `{draft.slug}` names itself", "Name another agent", *place)
            elif delegate.agent in seen:
                yield _problem(draft, f"the agent {written} stands twice", "Remove one", *place)
            elif delegate.agent not in slugs:
                hint = did_you_mean(delegate.agent, slugs) or f"There are: {', '.join(slugs) or 'no others'}"
                yield _problem(draft, f"there is no agent {written}", hint, *place)
            elif f"delegate_{delegate.agent}" in around.tools:
                what = f"the tool `delegate_{delegate.agent}` stands also in tools/delegate_{delegate.agent}.py"
                yield _problem(draft, what, "Rename the file", *place)
            seen.add(delegate.agent)


def _http_only(draft: Drafted) -> Iterator[VextirError]:
    if draft.spec.trigger == "http_trigger":
        return
    for key in ("input_schema", "response_schema", "response_example"):
        if key in draft.page.front.value:
            yield _problem(draft, f"`{key}` is for an http_trigger alone", "Remove it", key)


def _names(draft: Drafted, key: str, chosen: "Chosen", known: Sequence[str] | None) -> Iterator[VextirError]:
    """Yield the excluded names that nothing has; where the known ones could not be read, nothing can be said."""
    if isinstance(chosen, bool) or known is None:
        return
    for index, name in enumerate(chosen.exclude):
        if name not in known:
            hint = did_you_mean(name, known) or (f"There are: {', '.join(known)}" if known else "There are none")
            written = shown(str(at(draft.page.front.value, (key, "exclude", index))))
            yield _problem(draft, f"`{key}.exclude` names {written}, which is not there", hint, key, "exclude", index)


def _others(draft: Drafted) -> Iterator["Delegate"]:
    yield from draft.part.subagents
    yield from draft.part.workflows.subagents


def _problem(draft: Drafted, what: str, hint: str, *path: str | int) -> ManifestError:
    return ManifestError(what, hint=hint, where=draft.page.front.place(path))
