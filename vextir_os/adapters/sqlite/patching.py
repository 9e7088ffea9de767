"""The changes of a patch, applied to a decoded document. Pure; the document handed in stays as it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from vextir_os.adapters.sqlite.conditions import check_path
from vextir_os.errors import InvalidRequestError
from vextir_os.ports.store import PATCH_OPERATIONS, Patch

_FIXED = frozenset({"id", "pk"})


def check(changes: Sequence[Patch]) -> None:
    """Say whether the changes are ones. Raises ValueError for more than 10, `InvalidRequestError` for a wrong one."""
    if len(changes) > PATCH_OPERATIONS:
        raise ValueError(f"a patch of {len(changes)} changes, at most {PATCH_OPERATIONS} are allowed")
    for change in changes:
        if check_path(change.path)[0] in _FIXED:
            raise InvalidRequestError(f"{change.path} of a document cannot be patched", hint="Create another document")
        if change.op not in ("set", "remove", "incr"):
            raise InvalidRequestError(f"patch operation {change.op!r} is none of set, remove, incr")
        if change.op == "incr" and not _is_number(change.value):
            raise InvalidRequestError(f"{change.path} cannot be raised by {change.value!r}, which is no number")


def apply(document: Mapping[str, Any], changes: Sequence[Patch]) -> dict[str, Any]:
    """Return the document with all changes, in their order.

    Raises:
        InvalidRequestError: A path leads through something that is no object, `remove` finds nothing, or `incr`
            finds no number. (As in Cosmos DB, parents are not made up.)
    """
    changed = dict(document)
    for change in changes:
        *parents, last = change.path.split(".")
        place = changed
        for segment in parents:
            inner = place.get(segment)
            if not isinstance(inner, dict):
                raise InvalidRequestError(f"cannot {change.op} {change.path}: {segment!r} is no object there")
            place[segment] = place = dict(inner)
        _change(place, last, change)
    return changed


def _change(place: dict[str, Any], last: str, change: Patch) -> None:
    if change.op == "set":
        place[last] = change.value
    elif change.op == "remove":
        if last not in place:
            raise InvalidRequestError(f"cannot remove {change.path}: it is not there")
        del place[last]
    else:
        found = place.get(last, 0)
        if not _is_number(found):
            raise InvalidRequestError(f"cannot raise {change.path}: {found!r} is no number")
        place[last] = found + change.value


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
