"""The registry: which drivers handle a type, what a driver declares, and its code once an event for it has arrived."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Self

from vextir_os.driverkit.call import LoadedDriver, declared, loaded
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import AgentNotRunError, StaleIndexError, UnknownDriverError, did_you_mean, shown
from vextir_os.registry.discover import placed
from vextir_os.registry.index import load_index
from vextir_os.registry.manifest_json import BUILD, INDEX_FILE
from vextir_os.registry.modules import import_module_of
from vextir_os.registry.packs import refused
from vextir_os.registry.table import Table

Mode = Literal["all", "best"]

_Code = tuple[str, str, str]
"""Id, version and hash: what names the code of a driver."""

# A line that moved changes nothing, and the text of a schema depends on the version of pydantic.
_COMPARED = tuple(field.name for field in fields(Manifest) if field.name not in ("line", "schema"))


class Registry:
    """All drivers of one installation. Routing is pure; only `load` touches files.

    Args:
        manifests: One for each version of each driver, as the index holds them.
        root: The project root; needed for `load`.

    Raises:
        ManifestProblemsError: A version of an id stands there twice, or a permission cannot be read.
    """

    def __init__(self, manifests: Iterable[Manifest] = (), *, root: Path | None = None) -> None:
        self._root = root
        self._table = Table(manifests)
        self._first: dict[str, LoadedDriver] = {}
        self._loaded: dict[_Code, LoadedDriver] = {}

    @classmethod
    def open(cls, root: Path, packs: Sequence[str] = ()) -> Self:
        """Return the registry of a project, from its index; imports no driver.

        Args:
            root: The project root.
            packs: Names of the packs whose drivers may run here.

        Raises:
            StaleIndexError: There is no usable index, or it holds a pack that may not run here.
        """
        index = load_index(root)
        others = refused(index.sources, packs)
        if others:
            what = f"the driver index holds the pack {shown(others[0])}, which VEXTIR_PACKS does not name"
            raise StaleIndexError(what, hint=f"Name it there, or build the index without it. {BUILD}", where=INDEX_FILE)
        return cls(index.manifests, root=root)

    @classmethod
    def of(cls, *drivers: Callable[..., Any]) -> Self:
        """Return a registry of functions and classes under `@driver` that are there already; for tests and notebooks.

        Raises:
            ManifestError: One of them is not under `@driver`.
            ManifestProblemsError: Two have the same id, or a permission cannot be read.
        """
        ready = [loaded(driver) for driver in drivers]
        registry = cls(driver.manifest for driver in ready)
        registry._loaded.update({_code(driver.manifest): driver for driver in ready})
        return registry

    def add(self, driver: Callable[..., Any]) -> Manifest:
        """Add a function or class under `@driver` to this registry of a running OS; for tests and notebooks.

        Returns:
            Its manifest. The next event is routed with it.

        Raises:
            ManifestError: It is not under `@driver`.
            ManifestProblemsError: The id is there already, or a permission cannot be read.
        """
        ready = loaded(driver)
        self._table = Table([*self._table.every, ready.manifest])
        self._loaded[_code(ready.manifest)] = ready
        return ready.manifest

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """Manifests by driver id, in the order of the ids; of several versions the one that stands for the driver."""
        return self._table

    @property
    def versions(self) -> Mapping[str, tuple[Manifest, ...]]:
        """All versions of the drivers that have several, the newest last."""
        return self._table.versions

    @property
    def ids(self) -> Collection[str]:
        """The ids of all drivers, in order."""
        return self._table.ids

    @property
    def capabilities(self) -> frozenset[str]:
        """What all drivers together handle: types and patterns."""
        return self._table.capabilities

    def root_of(self, manifest: Manifest) -> Path:
        """Return the project root that a driver's code is below. Raises `UnknownDriverError` where there is none."""
        if self._root is None:
            raise UnknownDriverError(
                f"driver `{manifest.id}` has no file that a process could load it from",
                hint="Put it into drivers/<name>/driver.py, or run it `inline` or `thread`",
            )
        return self._root

    def find(self, driver_id: str, version: str = "") -> Manifest | None:
        """Return the manifest of a driver, of this version where it is installed; None when there is none here."""
        return self._table.find(driver_id, version)

    def get(self, driver_id: str, version: str = "") -> Manifest:
        """Return the manifest of a driver, as `find`. Raises `UnknownDriverError`, with the nearest id."""
        manifest = self._table.find(driver_id, version)
        if manifest is None:
            hint = did_you_mean(driver_id, self._table.ids)
            raise UnknownDriverError(f"there is no driver `{driver_id[:80]}`", hint=hint)
        return manifest

    def route(self, event_type: str, mode: Mode = "all") -> tuple[Manifest, ...]:
        """Return the drivers that handle a type, each once, the one with the most specific capability first.

        Drivers whose capabilities are equally specific stand in the order of their ids. Of a driver with several
        versions all stand there that handle the type: who has an event at hand chooses one.

        Args:
            event_type: Type of the event.
            mode: `all`: every driver that handles it; `best`: the first of them.
        """
        found = self._table.route(event_type)
        return found[:1] if mode == "best" else found

    def load(self, manifest: Manifest) -> LoadedDriver:
        """Return a driver of this registry, ready to be called; its module is imported the first time.

        Safe from several threads. A module that failed is tried again at the next call. Importing holds up the event
        loop, once per driver.

        Raises:
            UnknownDriverError: There is no driver of this id.
            AgentNotRunError: It is a declared agent, which this version does not run.
            DriverImportError: Its module cannot be imported; the message names the line.
            StaleIndexError: What the module declares is not what the index says.
        """
        driver = self._first.get(manifest.id)
        return driver if driver is not None and driver.manifest is manifest else self._load(manifest)

    def _load(self, manifest: Manifest) -> LoadedDriver:
        driver = self._loaded.get(_code(manifest))
        if driver is None:
            own = self.get(manifest.id, manifest.version)
            driver = self._loaded.setdefault(_code(own), self._import(own))
        if driver.manifest is manifest:
            self._first.setdefault(manifest.id, driver)
        return driver

    @property
    def at_hand(self) -> tuple[LoadedDriver, ...]:
        """The drivers whose code is here, because an event for them has come."""
        return tuple(self._loaded.values())

    def become(self, manifests: Iterable[Manifest]) -> tuple[LoadedDriver, ...]:
        """Go on with other drivers from now on; call it from the event loop. Turns that hold a driver end with it.

        Args:
            manifests: All there are now.

        Returns:
            What was loaded and is no more: no new turn gets it.

        Raises:
            ManifestProblemsError: As when it is made; nothing has changed then.
        """
        table = Table(manifests)
        stays = {code: driver for code, driver in self._loaded.items() if _is_in(table, driver.manifest)}
        gone = tuple(driver for code, driver in self._loaded.items() if code not in stays)
        self._table, self._loaded = table, stays
        self._first = {driver: one for driver, one in self._first.items() if _code(one.manifest) in stays}
        return gone

    def _import(self, manifest: Manifest) -> LoadedDriver:
        if manifest.agent is not None:
            raise AgentNotRunError(
                f"`{manifest.id}` is a declared agent, and this version runs no declared agents",
                hint="The event is kept: once agents can be run, `vextir dead replay` runs it",
                where=manifest.entry.rpartition(":")[0],
            )
        if self._root is None:
            raise UnknownDriverError(
                f"driver `{manifest.id}` has no code here", hint="Make the registry with Registry.open or Registry.of"
            )
        module = import_module_of(self._root, manifest.module, manifest.origin)
        target = getattr(module, manifest.attribute, None)
        own = declared(target)
        if target is None or own is None:
            raise _stale(manifest, f"`{manifest.attribute}` is no driver there any more")
        found = placed(self._root, manifest.module, manifest.attribute, own, manifest.code_hash, manifest.origin)
        changed = [name for name in _COMPARED if getattr(found, name) != getattr(manifest, name)]
        if changed:
            raise _stale(manifest, f"it now declares another {', '.join(changed)}")
        return loaded(target, manifest)


def _code(manifest: Manifest) -> _Code:
    return manifest.id, manifest.version, manifest.code_hash


def _is_in(table: Table, manifest: Manifest) -> bool:
    found = table.find(manifest.id, manifest.version)
    return found is not None and _code(found) == _code(manifest)


def _stale(manifest: Manifest, what: str) -> StaleIndexError:
    return StaleIndexError(
        f"driver `{manifest.id}` in {manifest.entry.rpartition(':')[0]} is not as the index says: {what}",
        hint=BUILD,
        where=INDEX_FILE,
    )
