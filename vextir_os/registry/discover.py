"""Finding all drivers of a project: imports each driver module once and reports all problems of all drivers together.

For the build and for development. At run time the index stands in for it: see `index.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from vextir_os.driverkit.decorator import MANIFEST
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ActionError, DriverError, ManifestError, ManifestProblemsError, VextirError
from vextir_os.policy.grammar import parse_action
from vextir_os.registry.folders import DRIVERS, MAIN, find_folders, folder_hash, text_problems
from vextir_os.registry.modules import forget_modules, import_driver_module, relative_place


def discover(root: Path) -> tuple[Manifest, ...]:
    """Return the manifests of all drivers of a project, by id. Their modules are read anew and stay imported.

    Raises:
        ManifestProblemsError: Something is wrong with at least one driver; all problems, by file and line.
    """
    forget_modules(root)
    folders, found = find_folders(root)
    problems: list[VextirError] = list(found)
    manifests: list[Manifest] = []
    for folder in folders:
        wrong = text_problems(folder)
        problems += wrong
        if wrong:
            continue
        try:
            manifests += _declared(root, folder)
        except ManifestProblemsError as error:
            problems += error.problems
        except DriverError as error:
            problems.append(error)
    problems += manifest_set_problems(manifests)
    for problem in problems:
        problem.where = relative_place(root, problem.where)
    if problems:
        raise ManifestProblemsError(sorted(problems, key=_by_place))
    return tuple(sorted(manifests, key=lambda manifest: manifest.id))


def drivers_in(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield name and function of each driver that a module declares or takes from its own folder, once each."""
    folder = module.__name__.rpartition(".")[0]
    seen: set[int] = set()
    for name, value in vars(module).items():
        own = isinstance(value, FunctionType) and MANIFEST in vars(value) and value.__module__.startswith(f"{folder}.")
        if own and id(value) not in seen:
            seen.add(id(value))
            yield name, value


def placed(root: Path, module: str, name: str, function: Callable[..., Any], code_hash: str) -> Manifest:
    """Return the manifest of a driver function with its place, as the index holds it.

    Args:
        root: The project root.
        module: Dotted name below `drivers/` of the module that the function was found in.
        name: Its name there.
        function: The function.
        code_hash: Hash of its folder.
    """
    own: Manifest = getattr(function, MANIFEST)
    file = relative_place(root, own.entry.rpartition(":")[0])
    return replace(own, module=module, attribute=name, entry=f"{file}:{name}", code_hash=code_hash)


def manifest_set_problems(manifests: Iterable[Manifest]) -> list[ManifestError]:
    """Return what one manifest alone does not show: ids declared twice, permissions the policy engine cannot read."""
    problems: list[ManifestError] = []
    first: dict[str, Manifest] = {}
    for manifest in manifests:
        where = _place(manifest)
        other = first.setdefault(manifest.id, manifest)
        if other is not manifest:
            what = f"driver id `{manifest.id}` is declared twice, here and at {_place(other)}"
            problems.append(ManifestError(what, hint="Give each driver an id of its own", where=where))
        for permission in manifest.permissions:
            try:
                parse_action(permission)
            except ActionError as error:
                what = f"driver `{manifest.id}`: permission {error.what}"
                problems.append(ManifestError(what, hint=error.hint, where=where))
    return problems


def _declared(root: Path, folder: Path) -> list[Manifest]:
    module = f"{folder.name}.{MAIN.removesuffix('.py')}"
    code_hash = folder_hash(folder)
    loaded = import_driver_module(root, module)
    found = [placed(root, module, name, function, code_hash) for name, function in drivers_in(loaded)]
    if not found:
        what, hint = "the file declares no driver", 'Put @driver("...", capabilities=["..."]) on an async function'
        raise ManifestError(what, hint=hint, where=f"{DRIVERS}/{folder.name}/{MAIN}")
    return found


def _place(manifest: Manifest) -> str:
    return f"{manifest.entry.rpartition(':')[0]}:{manifest.line}"


def _by_place(problem: VextirError) -> tuple[str, int]:
    file, _, line = problem.where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (problem.where, 0)
