"""Drivers as users know them from the product's specification: classes that say themselves what they handle.

`handle_event` becomes `handle`; `get_capabilities` and `get_resource_requirements` fill the manifest. Such a class
names no permissions, so it gets `emit:**`: what it returns are events, and the policies decide on each of them.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, TypeVar

from vextir_os.compat.current import current_kernel
from vextir_os.driverkit import decorator
from vextir_os.driverkit.call import declared
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestError, ManifestProblemsError
from vextir_os.events.names import ERROR

Class = TypeVar("Class", bound=type)

ALIASES = {"error": ERROR}
"""Types of events as the specification names them, and what they are called here."""

EMITS = ("emit:**",)


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """What a driver needs: `ResourceSpec(memory="512MB", timeout="30s")`."""

    memory: str | int | None = None
    timeout: str | float = "30s"


@dataclass(frozen=True, slots=True)
class DriverManifest:
    """What a driver is, given beside its class. `author` is kept in the description."""

    id: str
    name: str = ""
    author: str = ""
    version: str = "1"
    capabilities: Sequence[str] = ()
    resource_requirements: ResourceSpec | None = None


def driver(id: str, **options: Any) -> Callable[[Class], Class]:  # noqa: A002  (the specification's own word)
    """Declare a class with `handle_event`, `get_capabilities` and perhaps `get_resource_requirements` as a driver.

    Args:
        id: Lower-case name, unique in the project: `research_agent`.
        options: Of `vextir_os.driver`; they win over what the class says.

    Raises:
        ManifestError, ManifestProblemsError: As `vextir_os.driver`.
    """
    caller = sys._getframe(1)  # noqa: SLF001 - as `inspect.currentframe().f_back`, which may be None
    where = f"{caller.f_code.co_filename}:{caller.f_lineno}"

    def declare(cls: Class) -> Class:
        _declare(cls, DriverManifest(id), where, options)
        return cls

    return declare


class DriverRegistry:
    """The drivers of the kernel of the current context, where they can be added while it runs.

    For tests and notebooks: what is registered so is gone with the process, and other processes have nothing of it.
    """

    @staticmethod
    async def register(manifest: DriverManifest, cls: type) -> Manifest:
        """Add a driver class to the current kernel, and return its manifest.

        Raises:
            DriverError: There is no kernel in this context.
            ManifestError, ManifestProblemsError: As `driver`; the id may be there already.
        """
        kernel = current_kernel()
        code = next((vars(cls)[name].__code__ for name in ("handle_event", "handle") if name in vars(cls)), None)
        where = f"{code.co_filename}:{code.co_firstlineno}" if code else f"{cls.__module__}:1"
        # A class of its own: one class may be registered under several manifests.
        own = type(cls.__name__, (cls,), {"__doc__": cls.__doc__, "__module__": cls.__module__})
        _declare(own, manifest, where, {})
        return kernel.registry.add(own)


def _declare(cls: type, given: DriverManifest, where: str, options: dict[str, Any]) -> None:
    """Put `@driver` on a class of the specification's form; what is wrong is said at `where`."""
    try:
        if not isinstance(cls, type):
            raise ManifestError(f"driver `{given.id}`: not a class", hint="Put it on a class with `handle_event`")
        handle = getattr(cls, "handle_event", None)
        if isinstance(handle, FunctionType) and "handle" not in vars(cls):
            cls.handle = handle  # type: ignore[attr-defined]  # the name by which the OS calls it
        handled = given.capabilities or _asked(cls, given.id, "get_capabilities")
        # What is no list is left as it is, for the checks of `@driver` to refuse.
        capabilities = [ALIASES.get(one, one) for one in handled] if isinstance(handled, (list, tuple)) else handled
        needs = given.resource_requirements or _asked(cls, given.id, "get_resource_requirements") or ResourceSpec()
        said = {
            "capabilities": capabilities, "permissions": EMITS, "memory": needs.memory, "timeout": needs.timeout,
            "version": given.version, "description": _described(cls, given),
        }  # fmt: skip
        decorator.driver(given.id, **{**said, **options})(cls)
    except ManifestProblemsError as error:
        for problem in error.problems:
            problem.where = where
        raise
    except ManifestError as error:
        error.where = where
        raise
    file, _, line = where.rpartition(":")
    own = declared(cls)
    if own is not None:
        setattr(cls, decorator.MANIFEST, replace(own, entry=f"{file}:{cls.__name__}", line=int(line)))


def _asked(cls: type, driver_id: str, method: str) -> Any:
    """Return what a method says of the class; it is called before there is an instance that `__init__` has made."""
    found = getattr(cls, method, None)
    if found is None:
        return []
    try:
        return found(object.__new__(cls))
    except Exception as error:
        what = f"driver `{driver_id}`: `{cls.__name__}.{method}` raises {type(error).__name__}: {error}"
        raise ManifestError(what[:300], hint="Return it as it is, without what `__init__` sets") from error


def _described(cls: type, given: DriverManifest) -> str:
    lines = (vars(cls).get("__doc__") or "").strip().splitlines()
    said = given.name or (lines[0].strip() if lines else "")
    return f"{said} (by {given.author})" if given.author else said
