"""What a new project and a new driver may be called. Pure."""

import keyword
import re

from vextir_os.errors import UsageError, shown

NAME_CHARS = 40
"""Characters of a name, at most."""

_PROJECT = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
_DRIVER = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)
_WINDOWS = frozenset(
    {"aux", "con", "nul", "prn", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)
_PROJECTS = frozenset({"driver", "drivers", "vextir", "vextir-os", "vextir_os", "test", "tests"})
_DRIVERS = frozenset({"driver", "drivers", "index", "vextir", "vextir_os", "test", "tests"})


def check_project(name: str) -> str:
    """Return the name of a new project. Raises `UsageError`."""
    if name in ("driver", "drivers"):
        raise UsageError(f"a project cannot be called {shown(name)}", hint="For a driver: vextir new driver NAME")
    return _checked(name, "project", _PROJECT, _PROJECTS, joint="-")


def check_driver(name: str) -> str:
    """Return the name of a new driver: of its folder, its id and its test. Raises `UsageError`."""
    return _checked(name, "driver", _DRIVER, _DRIVERS, joint="_")


def class_name(name: str) -> str:
    """Return `mail_reader` as `MailReader`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _checked(name: str, what: str, form: re.Pattern[str], reserved: frozenset[str], *, joint: str) -> str:
    if len(name) > NAME_CHARS:
        raise UsageError(f"the name has {len(name)} characters, at most {NAME_CHARS} are allowed")
    if not form.fullmatch(name):
        near = _near(name, form, joint)
        hint = f"Did you mean `{near}`?" if near else f"Write it as `mail{joint}reader`: a-z, 0-9 and `{joint}` between"
        raise UsageError(f"{shown(name)} is no name for a {what}", hint=hint)
    if name in reserved or name in _WINDOWS or keyword.iskeyword(name):
        raise UsageError(f"the name {shown(name)} is taken", hint=f"Choose another, such as `my{joint}{name}`")
    return name


def _near(name: str, form: re.Pattern[str], joint: str) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    near = joint.join(re.findall(r"[a-z0-9]+", spaced.lower()))
    return near if form.fullmatch(near) else ""
