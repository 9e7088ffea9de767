"""YAML drivers: files with a `driver:` become manifests, or all that is wrong with them is said."""

from pathlib import Path
from typing import TYPE_CHECKING

from vextir_os.driverkit.agent import AgentSpec
from vextir_os.driverkit.checks import Problem, manifest_problems
from vextir_os.driverkit.durations import parse_duration
from vextir_os.driverkit.flow import Flow, read_flow
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestError, VextirError, YamlProblemsError
from vextir_os.registry.forms.files import NO_TEXT, RENAME, is_text
from vextir_os.registry.forms.permissions import for_model, for_tool
from vextir_os.yamlio import YAML_BYTES, YamlDocument, load_yaml

if TYPE_CHECKING:
    from vextir_os.registry.forms.yaml_driver_model import DriverPart

_PART = "driver"


def read_yaml_driver(path: Path, name: str, code_hash: str, origin: str) -> tuple[Manifest | None, list[VextirError]]:
    """Return the manifest of one file, or None and all its problems.

    Args:
        path: The file.
        name: How it is called in messages: `drivers/mail.yml`.
        code_hash: Hash of what it is part of.
        origin: Who brought it.
    """
    from vextir_os.registry.forms.fitting import fit
    from vextir_os.registry.forms.yaml_driver_model import DriverFile

    if not is_text(name):
        return None, [ManifestError(NO_TEXT, hint=RENAME, where=name)]
    try:
        with path.open("rb") as file:
            document = load_yaml(file.read(YAML_BYTES + 1), name)
    except YamlProblemsError as error:
        return None, list(error.problems)
    except OSError as error:
        return None, [ManifestError(f"cannot be read: {error.strerror or error}", where=name)]
    fitted = fit(DriverFile, document, whole="the file")
    if fitted.value is None:
        return None, list(fitted.problems)
    part = fitted.value.driver
    problems: list[Problem] = []
    manifest = _manifest(part, document, code_hash, origin, problems)
    problems += manifest_problems(manifest)
    where = document.key_place([_PART]).rpartition(":")[0]
    found: list[VextirError] = [
        ManifestError(f"driver `{part.id}`: {what}", hint=hint, where=where) for what, hint in problems
    ]
    return (None if found else manifest), found


def _manifest(
    part: "DriverPart", document: YamlDocument, code_hash: str, origin: str, problems: list[Problem]
) -> Manifest:
    return Manifest(
        id=part.id,
        kind="agent",
        capabilities=tuple(part.capabilities),
        permissions=_permissions(part),
        timeout_s=_timeout_s(part.timeout, problems),
        flow=_flow(part, problems),
        version=part.version,
        description=part.description or (f"{part.name}, an agent in YAML" if part.name else ""),
        form="yaml",
        origin=origin,
        agent=AgentSpec(
            slug=part.id,
            name=part.name or part.id,
            instructions=part.system_prompt,
            model=part.model,
            tools=tuple(part.tools),
            substitutes=False,
        ),
        attribute=part.id,
        entry=f"{document.name}:{part.id}",
        line=int(document.key_place([_PART]).split(":")[-2]),
        code_hash=code_hash,
    )


def _permissions(part: "DriverPart") -> tuple[str, ...]:
    """Return what it may use: its model, its tools, and what it names beside them."""
    return tuple(dict.fromkeys([for_model(part.model), *map(for_tool, part.tools), *part.permissions]))


def _timeout_s(value: str | float, problems: list[Problem]) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        problems.append((f"timeout {error}", ""))
        return 1.0


def _flow(part: "DriverPart", problems: list[Problem]) -> Flow | None:
    return read_flow(
        concurrency=part.concurrency, concurrency_key="", throttle=part.throttle, throttle_key="", debounce=None,
        debounce_key="", debounce_max=None, singleton=None, singleton_key="", problems=problems,
    )  # fmt: skip
