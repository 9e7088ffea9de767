"""A new driver of a project: its folder, its policy and its test. Reads this package, returns files; writes nothing."""

from collections.abc import Mapping
from typing import get_args

from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import UsageError, did_you_mean, shown
from vextir_os.events.names import RESERVED, check_pattern
from vextir_os.scaffold.names import check_driver
from vextir_os.scaffold.templates import render

_DEFAULT: Mapping[DriverKind, str] = {"agent": "asked", "tool": "asked", "io": "received", "ui": "shown"}
_ELSEWHERE = {"test.py": "tests/test_{}.py", "policy.yaml": "policies/{}.yaml"}


def driver_files(name: str, kind: str, capability: str = "") -> Mapping[str, bytes]:
    """Return the files of a new driver by their path in the project.

    Args:
        name: What its folder and its id are called.
        kind: Which template: agent, tool, io or ui.
        capability: Type or pattern of the events that it handles; by default one of its name.

    Raises:
        UsageError: It cannot be called so, or there is no such kind.
        PatternError: The capability is no type and no pattern.
    """
    check_driver(name)
    known = _known(kind)
    pattern = check_pattern(capability or f"{name}.{_DEFAULT[known]}")
    if pattern.partition(".")[0] == RESERVED:
        raise UsageError(f"events `{pattern}` are the OS's own", hint="Choose another type for --capability")
    values = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "slug": name.replace("_", "-"),
        "setting": name.upper(),
        "capability": pattern,
        "type": sample_type(pattern),
    }
    return {place(file, name): content for file, content in render(f"driver/{known}", values).items()}


def sample_type(pattern: str) -> str:
    """Return a type that a pattern matches: `mail.sample` for `mail.*`."""
    return ".".join("sample" if part in ("*", "**") else part for part in pattern.split("."))


def place(file: str, name: str) -> str:
    """Return where a file of a driver's template goes in a project."""
    return _ELSEWHERE[file].format(name) if file in _ELSEWHERE else f"drivers/{name}/{file}"


def _known(kind: str) -> DriverKind:
    kinds: tuple[DriverKind, ...] = get_args(DriverKind)
    found = next((known for known in kinds if known == kind), None)
    if found is None:
        hint = did_you_mean(kind, kinds) or f"It is one of {', '.join(kinds)}"
        raise UsageError(f"there is no kind of driver {shown(kind)}", hint=hint)
    return found
