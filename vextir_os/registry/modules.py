"""Importing driver modules by their place. The only module of the OS that touches the import machinery.

Each project root has a package of its own name in `sys.modules` whose path is its `drivers/` folder. So a driver's
`from .client import Client` works, and no package called `drivers`, installed or local, can be taken for ours. What
runs is the source text that the index has the hash of: byte code lying beside it is neither read nor written.
"""

import hashlib
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from vextir_os.driverkit.manifest import PROJECT
from vextir_os.errors import DriverError, DriverImportError
from vextir_os.registry.folders import DRIVERS, MAIN

_PREFIX = "vextir_loaded_"
_LOCK = threading.RLock()
_EXTRAS = {"openai": "openai", "anthropic": "anthropic", "mcp": "mcp", "azure": "azure", "aiohttp": "azure"}
_MESSAGE_CHARS = 300


def package_name(root: Path) -> str:
    """Return the name of the package that holds the drivers of a project root."""
    return f"{_PREFIX}{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}"


def import_driver_module(root: Path, module: str) -> ModuleType:
    """Import a module below the drivers folder, or return it when it is imported already. Safe from several threads.

    A module that fails leaves nothing behind, so a later call tries again from the start.

    Args:
        root: The project root.
        module: Dotted name below `drivers/`: `research.driver`.

    Raises:
        DriverImportError: The module raises, or is not there; the message names the line in the driver's own file.
        DriverError: What `@driver` found wrong in it, as it stands.
    """
    with _LOCK:
        package = _ensure_package(root)
        try:
            return importlib.import_module(f"{package}.{module}")
        except DriverError:
            _forget(f"{package}.{module.partition('.')[0]}")
            raise
        except (Exception, SystemExit) as error:  # a module may raise anything
            _forget(f"{package}.{module.partition('.')[0]}")
            raise _failed(root, module, error) from error


def import_module_of(root: Path, module: str, origin: str) -> ModuleType:
    """Import the module of a driver: of the project by its place, of a pack by its name, as any installed package.

    Args:
        root: The project root.
        module: `research.driver`, below `drivers/`; of a pack `acme_drivers.research.driver`.
        origin: Who brought it, as its manifest names it.

    Raises:
        DriverImportError, DriverError: As `import_driver_module`.
    """
    if origin == PROJECT:
        return import_driver_module(root, module)
    with _LOCK:
        try:
            return importlib.import_module(module)
        except DriverError:
            sys.modules.pop(module, None)
            raise
        except (Exception, SystemExit) as error:
            sys.modules.pop(module, None)
            message = (str(error).strip() or "no message").splitlines()[0][:_MESSAGE_CHARS]
            what = f"the module of {origin} cannot be imported: {type(error).__name__}: {message}"
            hint = "Install the pack anew, or leave it out of VEXTIR_PACKS"
            raise DriverImportError(what, hint=hint, where=f"{module.replace('.', '/')}.py") from error


def pack_place(module: str, file: str) -> str:
    """Return the file of a pack's driver as `acme_drivers/mail/driver.py`, wherever the pack is installed.

    Args:
        module: Its module, imported: `acme_drivers.mail.driver`.
        file: A file of its folder, as an absolute path.
    """
    folder = os.path.dirname(sys.modules[module].__file__ or "")  # noqa: PTH120  (as the code object names it)
    name = module.rpartition(".")[0].replace(".", "/")
    return f"{name}{file.removeprefix(folder)}".replace(os.sep, "/") if file.startswith(f"{folder}{os.sep}") else file


def folders_of(package: str) -> list[Path]:
    """Return where an import would find an installed package, `acme`; nowhere for a module or a name of nothing.

    Imports nothing.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []


def forget_modules(root: Path) -> None:
    """Remove all driver modules of a project root, so that the next import reads the files anew."""
    with _LOCK:
        _forget(package_name(root))


def forget_folders(root: Path, folders: Iterable[str]) -> None:
    """Remove the modules of these driver folders; what runs of them holds on to its own."""
    with _LOCK:
        for folder in folders:
            _forget(f"{package_name(root)}.{folder}")


def relative_place(root: Path, place: str) -> str:
    """Return a place such as `/home/ann/shop/drivers/mail/driver.py:7` as seen from the root."""
    prefix = f"{root.resolve()}{os.sep}"
    return place.removeprefix(prefix).replace(os.sep, "/") if place.startswith(prefix) else place


class _SourceLoader(SourceFileLoader):
    """Loads Python from its source alone: a planted or outdated `.pyc` would run under the hash of another text."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder:
    """Finds the modules below the private packages, and no others. Remembers no folder: files change in development."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if path is None or not name.startswith(_PREFIX):
            return None
        if name.count(".") == 1 and (folder := Path(path[0], name.rpartition(".")[2])).is_dir():
            return _folder_spec(name, folder)
        found = (FileFinder(entry, (_SourceLoader, [".py"])).find_spec(name) for entry in path)
        return next(filter(None, found), None)


def _folder_spec(name: str, folder: Path) -> ModuleSpec:
    """Return the package of one driver's folder, without a look at the ten thousand others beside it."""
    file = str(folder / "__init__.py")
    if Path(file).is_file():
        spec = ModuleSpec(name, _SourceLoader(name, file), origin=file, is_package=True)
        spec.has_location = True
    else:
        spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return spec


def _ensure_package(root: Path) -> str:
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
    name = package_name(root)
    if name not in sys.modules:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(root.resolve() / DRIVERS)]
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return name


def _forget(name: str) -> None:
    for found in [found for found in sys.modules if found == name or found.startswith(f"{name}.")]:
        del sys.modules[found]


def _failed(root: Path, module: str, error: BaseException) -> DriverImportError:
    where = _own_line(root, module, error) or f"{DRIVERS}/{module.replace('.', '/')}.py"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name, f"{package_name(root)}.", module, where)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    message = (text.strip() or "no message").splitlines()[0][:_MESSAGE_CHARS]
    what = f"the module cannot be imported: {type(error).__name__}: {message}"
    return DriverImportError(what, hint=f"Correct the file; nothing but declarations belongs into {MAIN}", where=where)


def _missing(name: str, package: str, module: str, where: str) -> DriverImportError:
    if name.startswith(package):
        own = name.removeprefix(package)
        # Where the whole folder is gone, Python misses the folder first.
        own = module if module.startswith(f"{own}.") else own
        path = f"{DRIVERS}/{own.replace('.', '/')}.py"
        return DriverImportError(f"there is no {path}", hint="Add it, or correct the name", where=where)
    top = name.partition(".")[0]
    # No `pip install` of a name that may be a slip of the pen: somebody may have taken just that name.
    hint = f"Install the package that brings it; for a file of the driver write `from .{top} import ...`"
    if top in _EXTRAS:
        hint = f"Run: pip install 'vextir-os[{_EXTRAS[top]}]'"
    return DriverImportError(f"{name} is needed by this driver and is not installed", hint=hint, where=where)


def _own_line(root: Path, module: str, error: BaseException) -> str:
    """Return the place in the driver's own files that led to an error; empty when none of them was on the way."""
    folder = f"{root.resolve() / DRIVERS / module.partition('.')[0]}{os.sep}"
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(folder):
        return relative_place(root, f"{error.filename}:{error.lineno or 1}")
    place = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(folder):
            place = relative_place(root, f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    return place
