"""Plans and UI apps, as far as anybody can look at them yet: YAML, and who they say they are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vextir_os.cli.checks.findings import Finding, found
from vextir_os.errors import VextirError, YamlError, YamlProblemsError, did_you_mean, shown
from vextir_os.yamlio import YAML_BYTES, YamlDocument, load_yaml

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}", re.ASCII)
_SUFFIXES = (".yaml", ".yml")


class Kind(NamedTuple):
    """A folder, what its files are called, and the types that they may have."""

    folder: str
    one: str
    types: tuple[str, ...]


KINDS = (Kind("plans", "plan", ("instruction", "plan")), Kind("ui_apps", "UI app", ("ui_application",)))


def check_kind(root: Path, kind: Kind) -> tuple[int, list[Finding]]:
    """Return how many files there are of a kind, and what is wrong with them.

    That they were looked at in part only is a finding too.
    """
    files = sorted(
        path
        for path in (root / kind.folder).rglob("*")
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not _hidden(path.relative_to(root))
    )
    problems: list[VextirError] = []
    ids: dict[str, str] = {}
    for path in files:
        name = path.relative_to(root).as_posix()
        try:
            with path.open("rb") as file:
                document = load_yaml(file.read(YAML_BYTES + 1), name)
        except YamlProblemsError as error:
            problems += error.problems
        except OSError as error:
            problems.append(YamlError(f"cannot be read: {error.strerror or error}", where=name))
        else:
            problems += _problems(document, kind, ids)
    findings = found("problem", kind.folder, problems)
    if files:
        what = f"of each {kind.one} only the YAML, `type` and `id` were checked; this version runs none"
        findings.append(Finding("note", kind.folder, "", kind.folder, what, ""))
    return len(files), findings


def _problems(document: YamlDocument, kind: Kind, ids: dict[str, str]) -> Iterator[YamlError]:
    value = document.value
    if not isinstance(value, dict):
        hint = f"Begin it with `type: {kind.types[0]}` and `id: …`"
        yield YamlError(f"a {kind.one} is a mapping", hint=hint, where=document.place([]))
        return
    type_ = value.get("type")
    if type_ not in kind.types:
        choices = " or ".join(f"`{one}`" for one in kind.types)
        given = f"is of type {shown(type_)}" if isinstance(type_, str) else "has no `type`"
        hint = (did_you_mean(type_, kind.types) if isinstance(type_, str) else "") or f"It is {choices}"
        yield YamlError(f"the {kind.one} {given}", hint=hint, where=document.place(["type"]))
    id_ = value.get("id")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        given = "has no `id`" if id_ is None else f"has the id {shown(str(id_))}, which is no lower-case name"
        yield YamlError(
            f"the {kind.one} {given}", hint="Use 1 to 80 characters a-z 0-9 . _ -", where=document.place(["id"])
        )
        return
    where = document.place(["id"])
    first = ids.setdefault(id_, where)
    if first != where:
        yield YamlError(f"the id {shown(id_)} stands also at {first}", hint="Give one of them another", where=where)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
