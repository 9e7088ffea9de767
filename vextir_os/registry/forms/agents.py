"""Agents in markdown: all files of a folder become manifests, or every problem of every file is said.

The original skips a file with a problem and goes on; here it is a problem of the project, since an agent that is left
out silently is an event that nobody answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vextir_os.driverkit.checks import manifest_problems
from vextir_os.driverkit.manifest import PROJECT, Manifest
from vextir_os.errors import ManifestError, VextirError, YamlProblemsError, shown
from vextir_os.registry.forms.environ import Environ, substituted_body, substituted_values
from vextir_os.registry.forms.files import (
    CONFIG,
    NO_TEXT,
    RENAME,
    SERVERS,
    AgentFile,
    agent_files,
    is_text,
    skill_files,
    tool_files,
)
from vextir_os.registry.forms.fitting import at
from vextir_os.registry.forms.hashes import file_hash
from vextir_os.registry.forms.markdown import Page, has_front_matter, read_page
from vextir_os.registry.forms.permissions import for_agent
from vextir_os.registry.forms.servers import read_servers
from vextir_os.registry.forms.spec import Around, spec_of
from vextir_os.registry.forms.together import Drafted, together
from vextir_os.registry.forms.triggers import capabilities_of, trigger_problems
from vextir_os.yamlio import YAML_BYTES, YamlDocument, load_yaml

if TYPE_CHECKING:
    from vextir_os.registry.forms.agent_model import AgentPart
    from vextir_os.registry.forms.config_model import AgentsConfig

TIMEOUT = "AZURE_FUNCTIONS_AGENTS_TIMEOUT_SECONDS"
TIMEOUT_S = 900.0
"""Longest turn of an agent where nobody says anything, in seconds."""


@dataclass(frozen=True, slots=True)
class Agents:
    """What a folder declares.

    Attributes:
        problems: What keeps it from being used.
        notes: What a person should know and that stops nothing.
    """

    manifests: list[Manifest] = field(default_factory=list)
    problems: list[VextirError] = field(default_factory=list)
    notes: list[VextirError] = field(default_factory=list)


class _Home(NamedTuple):
    folder: Path
    name: str
    origin: str
    environ: Environ

    def called(self, path: Path) -> str:
        return f"{self.name}{path.relative_to(self.folder).as_posix()}"


def load_agents(folder: Path, *, environ: Environ, name: str = "", origin: str = PROJECT) -> Agents:
    """Return the agents of a folder: of a project, or of a pack.

    Args:
        folder: Where the files are.
        environ: What stands for names of the environment; a pack gets nothing of it.
        name: What stands before their names in messages.
        origin: Who brings them.
    """
    home = _Home(folder, name, origin, environ)
    found = Agents()
    files = [file for file in agent_files(folder) if _is_agent(file, home, found)]
    around = _around(home, found)
    drafts = [draft for file in files if (draft := _drafted(file, home, around, found))]
    together(drafts, around, found.problems, found.notes)
    if not found.problems:
        found.manifests.extend(_manifest(draft, home, around) for draft in drafts)
    _check_manifests(found, drafts)
    return found


def _is_agent(file: AgentFile, home: _Home, found: Agents) -> bool:
    """Whether a file is an agent. A bare one without front matter is a note to people's assistants, and common."""
    if not file.bare:
        return True
    with file.path.open("rb") as opened:
        if has_front_matter(opened.read(64)):
            return True
    what = "it has no front matter and is no agent"
    hint = "Begin it with `---`, `name:` and `description:` if it is to be one"
    found.notes.append(ManifestError(what, hint=hint, where=home.called(file.path)))
    return False


def _around(home: _Home, found: Agents) -> Around:
    """Return what all agents share: the configuration, the servers, the skills, the tools."""
    config, written = _config(home, found)
    unset: set[str] = set()
    name = home.called(home.folder / SERVERS)
    servers = read_servers(home.folder, name, home.environ, found.problems, unset)
    _note_unset(found, name, unset)
    return Around(
        config=config,
        written=written,
        servers=servers,
        skills=_skills(home, found),
        tools=tuple(path.stem for path in tool_files(home.folder)),
    )


def _config(home: _Home, found: Agents) -> "tuple[AgentsConfig | None, Mapping[str, Any]]":
    """Return the configuration, and what is written in it."""
    from vextir_os.registry.forms.config_model import AgentsConfig
    from vextir_os.registry.forms.fitting import fit

    path = home.folder / CONFIG
    document = _yaml(path, home.called(path), found) if path.is_file() else None
    if document is None:
        return None, {}
    unset: set[str] = set()
    value = substituted_values(document.value or {}, home.environ, unset)
    _note_unset(found, document.name, unset)
    fitted = fit(AgentsConfig, document, whole="the file", value=value)
    found.problems.extend(fitted.problems)
    return (None, {}) if fitted.value is None else (fitted.value, document.value or {})


def _skills(home: _Home, found: Agents) -> tuple[str, ...]:
    from vextir_os.registry.forms.fitting import fit
    from vextir_os.registry.forms.skill_model import SkillPart

    names: dict[str, str] = {}
    for path in skill_files(home.folder):
        name = home.called(path)
        page = _page(path, name, found)
        fitted = fit(SkillPart, page.front, whole="the skill", value=page.front.value or {}) if page else None
        if fitted is None:
            continue
        found.problems.extend(fitted.problems)
        if fitted.value is not None and fitted.value.name in names:
            what = f"skill {shown(fitted.value.name)} stands also at {names[fitted.value.name]}"
            found.problems.append(ManifestError(what, hint="Give one of them another name", where=name))
        elif fitted.value is not None:
            names[fitted.value.name] = name
    return tuple(names)


def _drafted(file: AgentFile, home: _Home, around: Around, found: Agents) -> Drafted | None:
    from vextir_os.registry.forms.agent_model import AgentPart
    from vextir_os.registry.forms.fitting import fit

    name = home.called(file.path)
    page = _page(file.path, name, found)
    if page is None:
        return None
    if not is_text(name):
        found.problems.append(ManifestError(NO_TEXT, hint=RENAME, where=name))
        return None
    unset: set[str] = set()
    written = page.front.value if isinstance(page.front.value, dict) else {}
    switch = written.get("substitute_variables", True)
    # Without the switch the texts stay as they are; whether it is a switch at all is the model's to say.
    environ = {} if switch in (False, "false", "False") else home.environ
    value = substituted_values(page.front.value or {}, environ, unset)
    fitted = fit(AgentPart, page.front, whole="the agent", value=value)
    found.problems.extend(fitted.problems)
    if fitted.value is None:
        return None
    if not page.body:
        what = "the agent has no instructions"
        found.problems.append(ManifestError(what, hint="Write them below the front matter", where=name))
    if fitted.value.substitute_variables and home.origin == PROJECT:
        substituted_body(page.body, environ, unset)
        _note_unset(found, name, unset)
    found.problems.extend(_trigger_problems(fitted.value, page.front))
    spec = spec_of(file.slug, fitted.value, page, around, substitutes=home.origin == PROJECT)
    return Drafted(path=file.path, name=name, slug=file.slug, part=fitted.value, page=page, spec=spec)


def _trigger_problems(part: "AgentPart", document: YamlDocument) -> list[VextirError]:
    from vextir_os.registry.forms.agent_model import AuthHolder
    from vextir_os.registry.forms.fitting import fit

    if part.trigger is None:
        return []
    args = part.trigger.args
    problems: list[VextirError] = [
        ManifestError(what, hint=hint, where=document.place(["trigger", *path]))
        for what, hint, path in trigger_problems(part.trigger.type, args, str(at(document.value, ("trigger", "type"))))
    ]
    if part.trigger.type == "http_trigger" and "http_auth" in args:
        auth = {"http_auth": args["http_auth"]}
        problems += fit(AuthHolder, document, whole="`trigger.args`", value=auth, inside=("trigger", "args")).problems
    return problems


def _manifest(draft: Drafted, home: _Home, around: Around) -> Manifest:
    config, part = around.config, draft.part
    hosts = at(around.written, ("system_tools", "web_request", "allowed_hosts")) or ()
    asked = part.timeout if part.timeout is not None else config.timeout if config else None
    return Manifest(
        id=draft.slug.lower(),
        kind="agent",
        capabilities=capabilities_of(draft.slug, draft.spec.trigger),
        permissions=for_agent(draft.spec, hosts),
        timeout_s=asked if asked is not None else _default_timeout_s(home.environ),
        description=" ".join(str(draft.page.front.value["description"]).split()),
        form="agent_md",
        origin=home.origin,
        agent=draft.spec,
        attribute=draft.slug,
        entry=f"{draft.name}:{draft.slug}",
        line=1,
        code_hash=file_hash(draft.path),
    )


def _default_timeout_s(environ: Environ) -> float:
    try:
        return float(environ.get(TIMEOUT, ""))
    except ValueError:
        return TIMEOUT_S


def _check_manifests(found: Agents, drafts: Sequence[Drafted]) -> None:
    names = {draft.slug.lower(): draft.name for draft in drafts}
    for manifest in found.manifests:
        for what, hint in manifest_problems(manifest):
            where = names[manifest.id]
            found.problems.append(ManifestError(f"driver `{manifest.id}`: {what}", hint=hint, where=where))


def _note_unset(found: Agents, where: str, unset: set[str]) -> None:
    if not unset:
        return
    names = ", ".join(f"`{name}`" for name in sorted(unset))
    what = f"not set in this environment, so it stays as it is written: {names}"
    found.notes.append(ManifestError(what, hint="Set it, or double the sign to mean the text", where=where))


def _page(path: Path, name: str, found: Agents) -> Page | None:
    try:
        with path.open("rb") as file:
            return read_page(file.read(YAML_BYTES + 1), name)
    except YamlProblemsError as error:
        found.problems.extend(error.problems)
    except OSError as error:
        found.problems.append(ManifestError(f"cannot be read: {error.strerror or error}", where=name))
    return None


def _yaml(path: Path, name: str, found: Agents) -> YamlDocument | None:
    try:
        with path.open("rb") as file:
            return load_yaml(file.read(YAML_BYTES + 1), name)
    except YamlProblemsError as error:
        found.problems.extend(error.problems)
    except OSError as error:
        found.problems.append(ManifestError(f"cannot be read: {error.strerror or error}", where=name))
    return None
