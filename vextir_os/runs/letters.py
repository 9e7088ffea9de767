"""Reading dead letters for people: pages of them, one in full, and which errors they have in common. Read only.

Takes the tenant, always. Views are plain JSON values, the same for the HTTP API and the command line.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vextir_os.events.patterns import matches
from vextir_os.ports.store import Store
from vextir_os.runs.deadletter import OPEN, error_of, fingerprint_of, state_of
from vextir_os.runs.paging import LIMIT, Item, Listed, listed
from vextir_os.runs.record import DEAD_LETTERS

_SAMPLE_CHARS = 200
_SECRET = ("vextir-signature",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters; what is empty asks for nothing.

    Attributes:
        state: `open`, `replayed`, `edited`, `discarded`; empty for all.
        driver: Id of the driver.
        type: Pattern of the type of the event.
        kind: The error's class.
        group: Fingerprint.
        until: Epoch seconds; none that came into being later.
    """

    state: str = OPEN
    driver: str = ""
    type: str = ""
    kind: str = ""
    group: str = ""
    until: float | None = None

    def fits(self, letter: Mapping[str, Any]) -> bool:
        """Whether a dead letter is wanted."""
        return (
            (not self.state or state_of(letter) == self.state)
            and (not self.driver or letter.get("driver") == self.driver)
            and (not self.type or matches(self.type, letter.get("type", "")))
            and (not self.kind or error_of(letter)["class"] == self.kind)
            and (not self.group or fingerprint_of(letter) == self.group)
            and (self.until is None or letter["at"] <= self.until)
        )


async def page(
    store: Store, tenant: str, wanted: Wanted, *, limit: int, after: str = "", oldest_first: bool = False
) -> Listed:
    """Return one page of rows. Raises `InvalidRequestError` for a limit or a place that is none."""

    def pick(letter: Item) -> Sequence[Item]:
        return (letter_row(letter),) if letter["pk"] == tenant and wanted.fits(letter) else ()

    order: Literal["oldest", "newest"] = "oldest" if oldest_first else "newest"
    return await listed(store, DEAD_LETTERS, pick, limit=limit, after=after, order=order)


async def groups(store: Store, tenant: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Return the errors that dead letters have in common, the most frequent first.

    Each as `{"fingerprint", "count", "first", "last", "class", "code", "drivers", "sample"}`; times in epoch seconds,
    the sample is the message of the last one.
    """
    found: dict[str, dict[str, Any]] = {}
    after = ""
    while True:
        some = await page(store, tenant, wanted, limit=LIMIT, after=after)
        for row in some.items:
            _count(found, row)
        after = some.after
        if not after:
            return sorted(found.values(), key=lambda group: (-group["count"], -group["last"]))


def letter_row(letter: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dead letter as a row of a list; `driver`, `type`, `event` and counts are those of a run."""
    error = error_of(letter)
    row = {
        "id": letter["id"],
        "kind": letter["kind"],
        "state": state_of(letter),
        "at": letter["at"],
        "fingerprint": fingerprint_of(letter),
        "class": error["class"],
        "code": error["code"],
        "message": error["message"][:_SAMPLE_CHARS],
    }
    if letter["kind"] == "run":
        named = {"driver": "driver", "type": "type", "event": "event_id", "rerun": "rerun", "attempts": "attempts"}
        row.update({name: letter.get(member, "") for name, member in named.items()})
    else:
        row["reason"] = letter["reason"]
    return row


def letter_view(letter: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dead letter in full: of a run the traceback and each attempt, of a message its bytes."""
    shown = {**letter_row(letter), "message": error_of(letter)["message"]}
    if letter["kind"] == "run":
        shown["error"] = letter["error"]
    else:
        properties = {name: value for name, value in letter["properties"].items() if name not in _SECRET}
        shown.update(
            queue=letter["queue"],
            message_id=letter["message_id"],
            content_type=letter["content_type"],
            properties=properties,
            body=_body(letter["body"]),
        )
    if "closed" in letter:
        shown["closed"] = {name: value for name, value in letter["closed"].items() if name != "id"}
    return shown


def _body(kept: Mapping[str, Any]) -> dict[str, Any]:
    if "blob" in kept:
        return {"size_bytes": kept["blob"]["size_bytes"], "sha256": kept["blob"]["sha256"]}
    raw = base64.b64decode(kept["base64"])
    try:
        return {"size_bytes": len(raw), "text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"size_bytes": len(raw), "base64": kept["base64"]}


def _count(found: dict[str, dict[str, Any]], row: Mapping[str, Any]) -> None:
    group = found.setdefault(
        row["fingerprint"],
        {
            "fingerprint": row["fingerprint"],
            "count": 0,
            "first": row["at"],
            "last": row["at"],
            "class": row["class"],
            "code": row["code"],
            "drivers": [],
            "sample": row["message"],
        },
    )
    group["count"] += 1
    group["first"] = min(group["first"], row["at"])
    if row["at"] > group["last"]:
        group["last"], group["sample"] = row["at"], row["message"]
    driver = row.get("driver")
    if driver and driver not in group["drivers"]:
        group["drivers"].append(driver)
