"""Ids: minted at the edge, derived everywhere else. Derivation is pure; only `mint` is random."""

import hashlib

import uuid_utils

PARTITION_CHARS = 512
"""Characters of a correlation id that stand in a partition's name as they are; stores limit the length of keys."""

_NAMESPACE = uuid_utils.UUID("6f0a2c1e-5d43-5b0e-9a39-7d1f0b6a4c55")


def mint() -> str:
    """Return a new uuid7: sorts by time. Only for the edge (HTTP, SDK, CLI), before the queue."""
    return str(uuid_utils.uuid7())


def derive(*parts: str | int) -> str:
    """Return the uuid5 of the parts. The same parts give the same id; parts cannot run into each other."""
    name = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
    return str(uuid_utils.uuid5(_NAMESPACE, name))


def record_id(tenant: str, source: str, event_id: str) -> str:
    """Return the id of an event's record, `acme~` + 32 hex digits; a pure function of tenant, source and id."""
    digest = hashlib.blake2b(f"{len(source)}:{source}{event_id}".encode(), digest_size=16).hexdigest()
    return f"{tenant}~{digest}"


def partition(tenant: str, correlation_id: str) -> str:
    """Return the logical partition of a record, `acme~<correlation id>`; of a very long one, its start and its hash."""
    if len(correlation_id) > PARTITION_CHARS:
        digest = hashlib.sha256(correlation_id.encode()).hexdigest()
        correlation_id = f"{correlation_id[: PARTITION_CHARS - len(digest) - 1]}~{digest}"
    return f"{tenant}~{correlation_id}"


def key_id(tenant: str, name: str) -> str:
    """Return the id of an ordered key, `acme~key~` + 32 hex digits: of its document, and of its session in the queue.

    Two tenants' keys of one name are two keys.
    """
    return f"{tenant}~key~{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


def emitted_id(tenant: str, source: str, event_id: str, driver: str, rerun: int, step: str, index: int) -> str:
    """Return the id of an event that a run emits. Without rerun and step a second turn would reuse the first one's.

    Args:
        tenant: Tenant of the event that is handled.
        source: Source of the event that is handled.
        event_id: Id of the event that is handled.
        driver: Id of the driver.
        rerun: 0, + 1 with each replay or rewind by a person.
        step: Name and occurrence of the step, or `end` for what a run returns.
        index: Position among the events of that step, from 0.
    """
    return derive("emit", tenant, source, event_id, driver, rerun, step, index)
