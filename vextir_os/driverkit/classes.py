"""What can be wrong with a class under `@driver`, and what its kind is. Pure; makes no instance."""

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any, TypeGuard

from vextir_os.driverkit.bases import BASES, BaseDriver
from vextir_os.driverkit.checks import Problem
from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import did_you_mean

HANDLE = "handle"
"""The method that is called with each event."""

_HOOKS = ("start", "stop", "health")


def is_class(target: object) -> TypeGuard[type]:
    """Whether a class stands under the decorator."""
    return inspect.isclass(target)


def kind_of(target: object, declared: DriverKind | None) -> DriverKind:
    """Return the kind of a driver: as declared, else that of its base class, else `tool`."""
    if declared is not None:
        return declared
    own = [base.KIND for base in BASES if is_class(target) and issubclass(target, base)]
    return own[0] if own else "tool"


def class_problems(cls: type, *, kind: DriverKind | None, isolation: str) -> list[Problem]:
    """Return everything that is wrong with the form of a driver class.

    Args:
        cls: The class.
        kind: What `kind=` says; None when it says nothing.
        isolation: Where it runs: `inline` needs an async `handle`.
    """
    return [
        *_base_problems(cls, kind),
        *_init_problems(cls),
        *_handle_problems(cls, isolation),
        *(problem for hook in _HOOKS for problem in _hook_problems(cls, hook)),
        *_health_problems(cls, isolation),
    ]


def _health_problems(cls: type, isolation: str) -> Iterator[Problem]:
    owner = next((each for each in cls.__mro__ if "health" in vars(each)), None)
    if isolation != "inline" and owner not in (None, BaseDriver):
        what = f"`{cls.__name__}.health` is asked of drivers that run `inline` alone, and never under `{isolation}`"
        yield what, "Leave it out; a turn that hangs there is ended by its time-out or its heartbeat"


def _base_problems(cls: type, kind: DriverKind | None) -> Iterator[Problem]:
    bases = [base for base in BASES if issubclass(cls, base)]
    if len(bases) > 1:
        names = " and ".join(f"`{base.__name__}`" for base in bases)
        yield f"class `{cls.__name__}` has the base classes {names}, and a driver has one kind", "Keep one of them"
    elif bases and kind not in (None, bases[0].KIND):
        what = f"kind `{kind}` does not fit the base class `{bases[0].__name__}`, whose kind is `{bases[0].KIND}`"
        other = next((base.__name__ for base in BASES if kind == base.KIND), "")
        yield what, f"Leave `kind` out, or derive from `{other}`" if other else "Leave `kind` out"


def _init_problems(cls: type) -> Iterator[Problem]:
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if abstract:
        yield f"class `{cls.__name__}` leaves `{abstract[0]}` abstract", f"Write `{abstract[0]}`"
    for method in ("__init__", "__new__"):
        found = inspect.getattr_static(cls, method, None)
        function = found.__func__ if isinstance(found, staticmethod) else found
        needed = _needed(function) if isinstance(function, FunctionType) else []
        if needed:
            what = f"`{cls.__name__}.{method}` needs `{needed[0]}`, and the instance is made without arguments"
            yield what, f"Give `{needed[0]}` a default, or read it in `async def start(self)`"


def _handle_problems(cls: type, isolation: str) -> Iterator[Problem]:
    found = inspect.getattr_static(cls, HANDLE, None)
    name, usage = f"`{cls.__name__}.{HANDLE}`", f"Write `async def {HANDLE}(self, event: Event)`"
    if found is None:
        methods = [each for each, value in vars(cls).items() if isinstance(value, FunctionType) and each not in _HOOKS]
        near = did_you_mean(HANDLE, methods)
        hint = f"Rename {near[len('Did you mean ') : -1]} to `{HANDLE}`" if near else usage
        yield f"class `{cls.__name__}` has no method `{HANDLE}`", hint
    elif not isinstance(found, FunctionType):
        yield f"{name} is a {type(found).__name__}, not a method", usage
    elif inspect.isasyncgenfunction(found) or inspect.isgeneratorfunction(found):
        yield f"{name} is a generator", "Return a list of events instead of yielding them"
    elif not inspect.signature(found).parameters:
        yield f"{name} has no parameter `self`", usage
    elif isolation == "inline" and not inspect.iscoroutinefunction(found):
        yield f"{name} is a plain method, and `inline` drivers share one event loop", f"Write `async def {HANDLE}`"


def _hook_problems(cls: type, hook: str) -> Iterator[Problem]:
    found: Any = inspect.getattr_static(cls, hook, None)
    if found is None:
        return
    name, usage = f"`{cls.__name__}.{hook}`", f"Write `async def {hook}(self)`"
    if not isinstance(found, FunctionType):
        yield f"{name} is a {type(found).__name__}, not a method", usage
    elif not inspect.iscoroutinefunction(found):
        yield f"{name} is a plain method, and the OS awaits it", usage
    elif len(inspect.signature(found).parameters) == 0 or _needed(found):
        yield f"{name} is called with `self` alone", usage


def _needed(method: FunctionType) -> list[str]:
    """Return the parameters behind `self` that a call must give."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in stars]
