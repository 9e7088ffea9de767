"""The broker's entities: names, properties, and where the dead ones go. Reads and writes the table `entities` only."""

import difflib
import re
import sqlite3
from dataclasses import asdict, dataclass

from vextir_os.errors import InvalidRequestError, NotFoundError
from vextir_os.events import jsonio

DEAD = "/$deadletterqueue"
"""Suffix of the dead-letter sub-queue that every entity has."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9_])?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityProperties:
    """How an entity behaves; the words and rules are those of Azure Service Bus queues.

    Attributes:
        lock_duration_s: How long a received message, or an accepted session, stays locked.
        max_delivery_count: Deliveries of one message, at most; then it is dead-lettered.
        duplicate_window_s: How long a message id is remembered and dropped when it comes again; 0 is off.
        requires_session: Every message names a session; receivers take whole sessions. Cannot be changed.
        default_ttl_s: How long a message lives that names no time to live itself; None is for ever.
        dead_letter_on_expiry: A message whose time is over is dead-lettered instead of dropped.
        forward_dead_letters_to: Name of another entity that gets the dead letters; by default the own sub-queue.
    """

    lock_duration_s: float = 60.0
    max_delivery_count: int = 100
    duplicate_window_s: float = 0.0
    requires_session: bool = False
    default_ttl_s: float | None = None
    dead_letter_on_expiry: bool = False
    forward_dead_letters_to: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.lock_duration_s <= 86_400:
            raise InvalidRequestError(f"lock_duration_s is {self.lock_duration_s}, not over 0 and at most 86400")
        if self.max_delivery_count < 1:
            raise InvalidRequestError(f"max_delivery_count is {self.max_delivery_count}, not at least 1")
        if not 0 <= self.duplicate_window_s <= 604_800:
            raise InvalidRequestError(f"duplicate_window_s is {self.duplicate_window_s}, not from 0 to 604800")
        if self.default_ttl_s is not None and not self.default_ttl_s > 0:
            raise InvalidRequestError(f"default_ttl_s is {self.default_ttl_s}, not over 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity as the writer thread knows it.

    Attributes:
        parent: Id of the entity whose dead letters it holds; None for an ordinary one.
        dead: Id of the entity that gets its dead letters; its own id when it holds dead letters itself.
    """

    id: int
    name: str
    properties: EntityProperties
    parent: int | None
    dead: int


class Entities:
    """All entities by name and id, cached. Belongs to the writer thread."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, str, str, int | None, str]] = []
        self._by_name: dict[str, Entity] = {}
        self.by_id: dict[int, Entity] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Read all of them anew: at the start, and after another process's commit or a roll-back."""
        rows = connection.execute("SELECT id, name, shown, parent, properties FROM entities").fetchall()
        if rows == self._rows:
            return
        self._rows = rows
        ids = {name: number for number, name, _, _, _ in rows}
        self._by_name.clear()
        self.by_id.clear()
        for number, name, shown, parent, stored in rows:
            properties = EntityProperties(**jsonio.loads(stored))
            own = number if parent is not None else ids[name + DEAD]
            dead = ids.get(properties.forward_dead_letters_to.lower(), own)
            entity = Entity(id=number, name=shown, properties=properties, parent=parent, dead=dead)
            self._by_name[name] = self.by_id[number] = entity

    def find(self, name: str) -> Entity | None:
        """Return the entity, whatever the case of the name; None when there is none."""
        return self._by_name.get(name.lower())

    def named(self, name: str) -> Entity:
        """Return the entity, whatever the case of the name. Raises `NotFoundError` with the nearest name."""
        entity = self._by_name.get(name.lower())
        if entity is None:
            near = difflib.get_close_matches(name.lower(), self._by_name, n=1)
            hint = f"Did you mean {self._by_name[near[0]].name!r}?" if near else "Declare it first"
            raise NotFoundError(f"there is no queue {name[:80]!r}", hint=hint)
        return entity

    def names(self) -> list[str]:
        """Return the names of all entities as they were declared, sub-queues included, sorted."""
        return sorted(entity.name for entity in self.by_id.values())

    def declare(self, connection: sqlite3.Connection, name: str, properties: EntityProperties) -> None:
        """Create an entity with its dead-letter sub-queue, or change its properties.

        Raises:
            InvalidRequestError: The name has a wrong syntax, or `requires_session` would change.
            NotFoundError: The entity that would get the dead letters does not exist.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(
                f"queue name {name[:80]!r} is not 1 to 260 characters A-Z a-z 0-9 . _ - / with a letter or digit first"
            )
        if properties.forward_dead_letters_to:
            self._check_target(name, self.named(properties.forward_dead_letters_to))
        key = name.lower()
        known = self._by_name.get(key)
        stored = jsonio.dumps(asdict(properties)).decode()
        if known is None:
            row = connection.execute(
                "INSERT INTO entities(name, shown, parent, properties) VALUES(?, ?, NULL, ?)", (key, name, stored)
            ).lastrowid
            self._declare_dead(connection, key, name, row, properties)
        elif known.properties != properties:
            if known.properties.requires_session != properties.requires_session:
                raise InvalidRequestError(
                    f"queue {name!r} was declared with requires_session={known.properties.requires_session}, "
                    "which cannot be changed",
                    hint="Use another name",
                )
            connection.execute("UPDATE entities SET properties = ? WHERE id = ?", (stored, known.id))
        else:
            return
        self.load(connection)

    @staticmethod
    def _check_target(name: str, target: Entity) -> None:
        if target.name.lower() in (name.lower(), name.lower() + DEAD):
            raise InvalidRequestError(f"queue {name!r} cannot forward its dead letters to itself")
        if target.properties.requires_session or target.parent is not None:
            raise InvalidRequestError(
                f"queue {name!r} cannot forward its dead letters to {target.name!r}, "
                "which requires sessions or holds dead letters itself"
            )

    @staticmethod
    def _declare_dead(
        connection: sqlite3.Connection, key: str, name: str, parent: int | None, properties: EntityProperties
    ) -> None:
        dead = EntityProperties(lock_duration_s=properties.lock_duration_s, max_delivery_count=2**31)
        connection.execute(
            "INSERT INTO entities(name, shown, parent, properties) VALUES(?, ?, ?, ?)",
            (key + DEAD, name + DEAD, parent, jsonio.dumps(asdict(dead)).decode()),
        )
