"""Finding all drivers of a project: imports each driver module once and reports all problems of all drivers together.

For the build and for development. At run time the index stands in for it: see `index.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType

from vextir_os.driverkit.call import declared
from vextir_os.driverkit.manifest import PROJECT, Manifest
from vextir_os.errors import ActionError, DriverError, ManifestError, ManifestProblemsError, VextirError
from vextir_os.policy.grammar import parse_action
from vextir_os.registry.folders import MAIN, find_folders, folder_hash, text_problems
from vextir_os.registry.forms.environ import Environ
from vextir_os.registry.forms.files import yaml_drivers
from vextir_os.registry.forms.hashes import file_hash
from vextir_os.registry.homes import Home, project_home
from vextir_os.registry.modules import forget_modules, import_module_of, pack_place, relative_place
from vextir_os.registry.sources import pack_hashes

_MAIN = MAIN.removesuffix(".py")
NOTHING: Environ = MappingProxyType({})


def discover(root: Path, *, packs: Sequence[Home] = (), environ: Environ = NOTHING) -> tuple[Manifest, ...]:
    """Return the manifests of all drivers of a project and its packs, by id. Modules are read anew and stay imported.

    Args:
        root: The project root.
        packs: The packs whose drivers it takes.
        environ: What stands for names of the environment in declared agents; packs get nothing of it.

    Raises:
        ManifestProblemsError: Something is wrong with at least one driver; all problems, by file and line.
    """
    found = survey(root, packs=packs, environ=environ)
    if found.problems:
        raise ManifestProblemsError(found.problems)
    return found.manifests


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is, as far as it can be read.

    Attributes:
        manifests: By id.
        problems: What keeps the drivers from being used, by file and line.
        notes: What a person should know and that stops nothing.
    """

    manifests: tuple[Manifest, ...]
    problems: Sequence[VextirError]
    notes: Sequence[VextirError]


def survey(root: Path, *, packs: Sequence[Home] = (), environ: Environ = NOTHING) -> Survey:
    """Return all drivers and all that is wrong with them; see `discover`."""
    # Reading the index brings this module too, and reads no YAML.
    from vextir_os.registry.forms.agents import load_agents

    forget_modules(root)
    hashes = pack_hashes(packs)
    problems: list[VextirError] = []
    notes: list[VextirError] = []
    manifests: list[Manifest] = []
    for home in (project_home(root), *packs):
        own_environ = NOTHING if home.package else environ
        agents = load_agents(home.agents, environ=own_environ, name=home.prefix, origin=home.origin)
        found = [*_programmed(root, home, problems), *_written(home, problems), *agents.manifests]
        if home.package:
            found = [replace(manifest, code_hash=hashes[home.origin]) for manifest in found]
        manifests += found
        problems += agents.problems
        notes += agents.notes
    problems += manifest_set_problems(manifests)
    for problem in problems:
        problem.where = relative_place(root, problem.where)
    return Survey(tuple(sorted(manifests, key=lambda manifest: manifest.id)), sorted(problems, key=_by_place), notes)


def _programmed(root: Path, home: Home, problems: list[VextirError]) -> list[Manifest]:
    """Return the drivers in Python; what is wrong is added to `problems`."""
    folders, found = find_folders(home.folder, home.name, strict=not home.package)
    problems += found
    manifests: list[Manifest] = []
    for folder in folders:
        wrong = text_problems(folder, home.name)
        problems += wrong
        if wrong:
            continue
        try:
            manifests += _declared(root, home, folder)
        except ManifestProblemsError as error:
            problems += error.problems
        except DriverError as error:
            problems.append(error)
    return manifests


def _written(home: Home, problems: list[VextirError]) -> list[Manifest]:
    """Return the drivers in YAML; what is wrong is added to `problems`."""
    from vextir_os.registry.forms.yaml_drivers import read_yaml_driver

    manifests = []
    for path in yaml_drivers(home.folder):
        name = f"{home.name}/{path.relative_to(home.folder).as_posix()}"
        code_hash = file_hash(path) if path.parent == home.folder else folder_hash(path.parent)
        manifest, wrong = read_yaml_driver(path, name, code_hash, home.origin)
        problems += wrong
        if manifest is not None:
            manifests.append(manifest)
    return manifests


def drivers_in(module: ModuleType) -> Iterator[tuple[str, Manifest]]:
    """Yield name and manifest of each driver that a module declares or takes from its own folder, once each."""
    folder = module.__name__.rpartition(".")[0]
    seen: set[int] = set()
    for name, value in vars(module).items():
        own = declared(value) if isinstance(value, FunctionType | type) else None
        if own is not None and value.__module__.startswith(f"{folder}.") and id(value) not in seen:
            seen.add(id(value))
            yield name, own


def placed(root: Path, module: str, name: str, own: Manifest, code_hash: str, origin: str = PROJECT) -> Manifest:
    """Return the manifest of a driver with its place, as the index holds it.

    Args:
        root: The project root.
        module: Dotted name of the module that the driver was found in; of the project's, below `drivers/`.
        name: Its name there.
        own: As `@driver` made it.
        code_hash: Hash of its folder, or of the pack.
        origin: Who brings it.
    """
    file = own.entry.rpartition(":")[0]
    file = relative_place(root, file) if origin == PROJECT else pack_place(module, file)
    return replace(own, module=module, attribute=name, entry=f"{file}:{name}", code_hash=code_hash, origin=origin)


def manifest_set_problems(manifests: Iterable[Manifest]) -> list[ManifestError]:
    """Return what one manifest alone does not show: ids declared twice, permissions the policy engine cannot read.

    A driver may stand there in several versions, all of one origin: a pack cannot put itself beside somebody's driver.
    """
    problems: list[ManifestError] = []
    first: dict[str, dict[str, Manifest]] = {}
    for manifest in manifests:
        where = _place(manifest)
        versions = first.setdefault(manifest.id, {})
        other = versions.setdefault(manifest.version, manifest)
        if other is manifest:
            other = next((each for each in versions.values() if each.origin != manifest.origin), manifest)
        if other is not manifest:
            mixed = (manifest.origin, other.origin) != (PROJECT, PROJECT)
            by = f", here by {manifest.origin}, there by {other.origin}" if mixed else ""
            what = f"driver id `{manifest.id}` is declared twice, here and at {_place(other)}{by}"
            hint = "Give each driver an id of its own"
            problems.append(ManifestError(what, hint=hint, where=where))
        for permission in manifest.permissions:
            try:
                parse_action(permission)
            except ActionError as error:
                what = f"driver `{manifest.id}`: permission {error.what}"
                problems.append(ManifestError(what, hint=error.hint, where=where))
    return problems


def _declared(root: Path, home: Home, folder: Path) -> list[Manifest]:
    module = f"{home.package}.{folder.name}.{_MAIN}" if home.package else f"{folder.name}.{_MAIN}"
    code_hash = folder_hash(home.folder if home.package else folder)
    loaded = import_module_of(root, module, home.origin)
    found = [placed(root, module, name, own, code_hash, home.origin) for name, own in drivers_in(loaded)]
    if not found:
        what, hint = "the file declares no driver", 'Put @driver("...", capabilities=["..."]) on an async function'
        raise ManifestError(what, hint=hint, where=f"{home.name}/{folder.name}/{MAIN}")
    return found


def _place(manifest: Manifest) -> str:
    return f"{manifest.entry.rpartition(':')[0]}:{manifest.line}"


def _by_place(problem: VextirError) -> tuple[str, list[int]]:
    """Return file, line and column, as far as they are known."""
    file, *numbers = problem.where.split(":")
    return file, [int(number) for number in numbers if number.isdigit()]
