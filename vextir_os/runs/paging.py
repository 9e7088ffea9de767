"""Lists over large containers, a page at a time: each page looks at so many documents at most, however few fit.

So a list over a million records never holds up the store. A page may be short, or empty, and still have a next one.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from vextir_os.errors import InvalidRequestError
from vextir_os.ports.store import Store

LIMIT = 200
"""Documents that fit, on one page, at most."""

LOOK = 2_000
"""Documents that one page looks at, at most."""

_QUERIES = 100

Item = dict[str, Any]
Pick = Callable[[dict[str, Any]], Sequence[Item]]
"""The items that a document gives; none when it does not fit."""


class Listed(NamedTuple):
    """Some items, and where the next ones begin; empty at the end."""

    items: Sequence[Item]
    after: str


async def listed(
    store: Store,
    container: str,
    pick: Pick,
    *,
    limit: int,
    after: str = "",
    order: Literal["oldest", "newest"] = "newest",
) -> Listed:
    """Return one page.

    Args:
        store: Where the documents are.
        container: Of what.
        pick: Which items a document gives.
        limit: Documents that fit, from 1 to `LIMIT`.
        after: What the page before gave; empty for the first.
        order: By time of creation.

    Raises:
        InvalidRequestError: A limit or place that is none.
    """
    if not 1 <= limit <= LIMIT:
        raise InvalidRequestError(f"a page of {limit}, not of 1 to {LIMIT}")
    items: list[Item] = []
    left, looked = limit, 0
    for _ in range(_QUERIES):
        # Never more than are wanted still: so the place behind them is that behind the last one looked at.
        page = await store.query(container, order=order, limit=min(left, LOOK - looked), continuation=after)
        for stored in page.items:
            found = pick(stored.document)
            items.extend(found)
            left -= bool(found)
        looked += len(page.items)
        after = page.continuation
        if not after or not left or looked == LOOK:
            break
    return Listed(items, after)
