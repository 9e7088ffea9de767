"""All manifests of a registry, by id, by version and by what they handle. Fixed once made; imports no driver.

Manifests of an index file are taken as its build has checked them, and decoded one by one when they are needed; those
of drivers with several versions, of which there are few, at once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.versions import leading, version_key
from vextir_os.errors import ManifestProblemsError
from vextir_os.events.patterns import PatternTrie
from vextir_os.registry.discover import manifest_set_problems
from vextir_os.registry.stored import StoredManifests, heads_of

CACHED_ROUTES = 32_768
"""Types whose routes are kept; all are forgotten when there are more."""


class Table(Mapping[str, Manifest]):
    """Manifests by driver id, in the order of the ids; of several versions the one that stands for the driver.

    Args:
        manifests: One for each version of each driver.

    Raises:
        ManifestProblemsError: A version of an id stands there twice, or a permission cannot be read.

    Attributes:
        versions: All versions of the drivers that have several, the newest last.
    """

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        if isinstance(manifests, StoredManifests):
            self._all: Sequence[Manifest] = manifests
        else:
            self._all = sorted(manifests, key=lambda manifest: manifest.id)
            problems = manifest_set_problems(self._all)
            if problems:
                raise ManifestProblemsError(problems)
        several: dict[str, list[int]] = {}
        self._places: dict[str, int] = {}
        self._routes: dict[str, tuple[Manifest, ...]] = {}
        self._trie: PatternTrie[int] = PatternTrie()
        for place, head in enumerate(heads_of(self._all)):
            first = self._places.setdefault(head.id, place)
            if first != place:
                several.setdefault(head.id, [first]).append(place)
            for capability in head.capabilities:
                self._trie.add(capability, place)
        self.versions: Mapping[str, tuple[Manifest, ...]] = {
            driver: tuple(sorted((self._all[place] for place in places), key=lambda each: version_key(each.version)))
            for driver, places in several.items()
        }
        self._used = {driver: leading(versions) for driver, versions in self.versions.items()}
        self._exact = {(each.id, each.version): each for versions in self.versions.values() for each in versions}

    def __getitem__(self, driver: str) -> Manifest:
        found = self.find(driver)
        if found is None:
            raise KeyError(driver)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def every(self) -> Sequence[Manifest]:
        """All manifests, each version of each driver."""
        return self._all

    @property
    def ids(self) -> Collection[str]:
        """The ids of all drivers, in order."""
        return self._places.keys()

    @property
    def capabilities(self) -> frozenset[str]:
        """What all drivers together handle: types and patterns."""
        return self._trie.patterns

    def find(self, driver: str, version: str = "") -> Manifest | None:
        """Return this version of a driver where it has several and this one, else the one that stands for it."""
        found = self._exact.get((driver, version)) if self._exact else None
        if found is None:
            found = self._used.get(driver)
            if found is None and driver in self._places:
                found = self._used.setdefault(driver, self._all[self._places[driver]])
        return found

    def route(self, event_type: str) -> tuple[Manifest, ...]:
        """Return all manifests that handle a type, each once, the most specific capability first, then by id."""
        found = self._routes.get(event_type)
        if found is None:
            places = dict.fromkeys(place for _, place in self._trie.match(event_type))
            found = tuple(self._all[place] for place in places)
            # Types come from outside: the cache must not grow with them.
            if len(self._routes) >= CACHED_ROUTES:
                self._routes.clear()
            self._routes[event_type] = found
        return found
