"""All error classes of the OS, found by importing every module of it."""

import importlib
import pkgutil
from collections.abc import Iterator

import vextir_os
from vextir_os.api.problem import RefusedError
from vextir_os.errors import ProblemsError, VextirError

BORROWED = frozenset({RefusedError, ProblemsError})
"""Classes without a code of their own: a refused request says that of its problem, and `ProblemsError` is a form."""


def error_classes() -> dict[str, type[VextirError]]:
    """Return every class with a code of its own, by its name, in the order of the codes."""
    for module in pkgutil.walk_packages(vextir_os.__path__, "vextir_os."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    base: type[VextirError] = VextirError
    found = {base, *_below(base)} - BORROWED
    return {cls.__name__: cls for cls in sorted(found, key=lambda cls: (cls.code, cls.__name__))}


def _below(cls: type[VextirError]) -> Iterator[type[VextirError]]:
    for each in cls.__subclasses__():
        if each.__module__.startswith("vextir_os."):
            yield each
        yield from _below(each)
