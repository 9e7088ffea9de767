"""The registry: which drivers handle a type, what a driver declares, and its code once an event for it has arrived."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Self

from vextir_os.driverkit.call import LoadedDriver, declared, loaded
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import AgentNotRunError, ManifestProblemsError, StaleIndexError, UnknownDriverError, did_you_mean
from vextir_os.events.patterns import PatternTrie
from vextir_os.registry.discover import manifest_set_problems, placed
from vextir_os.registry.index import load_index
from vextir_os.registry.manifest_json import BUILD, INDEX_FILE
from vextir_os.registry.modules import import_driver_module
from vextir_os.registry.stored import StoredManifests, heads_of

Mode = Literal["all", "best"]
CACHED_ROUTES = 32_768
"""Types whose routes are kept; all are forgotten when there are more."""

# A line that moved changes nothing, and the text of a schema depends on the version of pydantic.
_COMPARED = tuple(field.name for field in fields(Manifest) if field.name not in ("line", "schema"))


class Registry:
    """All drivers of one installation; fixed once made. Routing is pure; only `load` touches files.

    Manifests of an index file are taken as its build has checked them, and decoded one by one when they are needed.

    Args:
        manifests: One per driver, as the index holds them.
        root: The project root; needed for `load`.

    Raises:
        ManifestProblemsError: An id stands there twice, or a permission cannot be read.
    """

    def __init__(self, manifests: Iterable[Manifest] = (), *, root: Path | None = None) -> None:
        if isinstance(manifests, StoredManifests):
            self._all: Sequence[Manifest] = manifests
        else:
            self._all = sorted(manifests, key=lambda manifest: manifest.id)
            problems = manifest_set_problems(self._all)
            if problems:
                raise ManifestProblemsError(problems)
        self._root = root
        self._places: dict[str, int] = {}
        self._used: dict[str, Manifest] = {}
        self._loaded: dict[str, LoadedDriver] = {}
        self._routes: dict[str, tuple[Manifest, ...]] = {}
        self._trie: PatternTrie[int] = PatternTrie()
        for place, head in enumerate(heads_of(self._all)):
            self._places[head.id] = place
            for capability in head.capabilities:
                self._trie.add(capability, place)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Return the registry of a project, from its index; imports no driver.

        Raises:
            StaleIndexError: There is no usable index.
        """
        return cls(load_index(root).manifests, root=root)

    @classmethod
    def of(cls, *drivers: Callable[..., Any]) -> Self:
        """Return a registry of functions and classes under `@driver` that are there already; for tests and notebooks.

        Raises:
            ManifestError: One of them is not under `@driver`.
            ManifestProblemsError: Two have the same id, or a permission cannot be read.
        """
        ready = [loaded(driver) for driver in drivers]
        registry = cls(driver.manifest for driver in ready)
        registry._loaded.update({driver.manifest.id: driver for driver in ready})
        return registry

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """All manifests by driver id, in the order of the ids."""
        return _ById(self)

    @property
    def ids(self) -> Collection[str]:
        """The ids of all drivers, in order."""
        return self._places.keys()

    @property
    def capabilities(self) -> frozenset[str]:
        """What all drivers together handle: types and patterns."""
        return self._trie.patterns

    def root_of(self, manifest: Manifest) -> Path:
        """Return the project root that a driver's code is below. Raises `UnknownDriverError` where there is none."""
        if self._root is None:
            raise UnknownDriverError(
                f"driver `{manifest.id}` has no file that a process could load it from",
                hint="Put it into drivers/<name>/driver.py, or run it `inline` or `thread`",
            )
        return self._root

    def find(self, driver_id: str) -> Manifest | None:
        """Return the manifest of a driver; None when there is no such driver here."""
        found = self._used.get(driver_id)
        if found is None and driver_id in self._places:
            found = self._used.setdefault(driver_id, self._all[self._places[driver_id]])
        return found

    def get(self, driver_id: str) -> Manifest:
        """Return the manifest of a driver. Raises `UnknownDriverError`, with the nearest id."""
        manifest = self.find(driver_id)
        if manifest is None:
            hint = did_you_mean(driver_id, self._places)
            raise UnknownDriverError(f"there is no driver `{driver_id[:80]}`", hint=hint)
        return manifest

    def route(self, event_type: str, mode: Mode = "all") -> tuple[Manifest, ...]:
        """Return the drivers that handle a type, each once, the one with the most specific capability first.

        Drivers whose capabilities are equally specific stand in the order of their ids.

        Args:
            event_type: Type of the event.
            mode: `all`: every driver that handles it; `best`: the first of them.
        """
        found = self._routes.get(event_type)
        if found is None:
            places = dict.fromkeys(place for _, place in self._trie.match(event_type))
            found = tuple(self._all[place] for place in places)
            # Types come from outside: the cache must not grow with them.
            if len(self._routes) >= CACHED_ROUTES:
                self._routes.clear()
            self._routes[event_type] = found
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
        driver = self._loaded.get(manifest.id)
        if driver is None:
            driver = self._loaded.setdefault(manifest.id, self._import(self.get(manifest.id)))
        return driver

    @property
    def at_hand(self) -> tuple[LoadedDriver, ...]:
        """The drivers whose code is here, because an event for them has come."""
        return tuple(self._loaded.values())

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
        module = import_driver_module(self._root, manifest.module)
        target = getattr(module, manifest.attribute, None)
        own = declared(target)
        if target is None or own is None:
            raise _stale(manifest, f"`{manifest.attribute}` is no driver there any more")
        found = placed(self._root, manifest.module, manifest.attribute, own, manifest.code_hash)
        changed = [name for name in _COMPARED if getattr(found, name) != getattr(manifest, name)]
        if changed:
            raise _stale(manifest, f"it now declares another {', '.join(changed)}")
        return loaded(target, manifest)


class _ById(Mapping[str, Manifest]):
    """The manifests of a registry by id, each decoded when it is asked for."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getitem__(self, driver_id: str) -> Manifest:
        found = self._registry.find(driver_id)
        if found is None:
            raise KeyError(driver_id)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.ids)

    def __len__(self) -> int:
        return len(self._registry.ids)


def _stale(manifest: Manifest, what: str) -> StaleIndexError:
    return StaleIndexError(
        f"driver `{manifest.id}` in {manifest.entry.rpartition(':')[0]} is not as the index says: {what}",
        hint=BUILD,
        where=INDEX_FILE,
    )
