"""Lists of dead letters and runs: what one page may cost, and that all pages together miss nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import Harness, an_os
from vextir_os.errors import InvalidRequestError
from vextir_os.ports.atomic import Create
from vextir_os.runs import letters, runlist
from vextir_os.runs.letters import Wanted
from vextir_os.runs.paging import LIMIT, LOOK

MANY = LOOK + 500


def a_letter(number: int, tenant: str = "local", driver: str = "shop") -> dict[str, Any]:
    error = {"class": "KeyError", "code": "VX400", "message": f"order {number}", "traceback": ""}
    return {
        "v": 1, "id": f"l-{number}", "pk": tenant, "kind": "run", "state": "open", "event_id": f"e-{number}",
        "type": "order.placed", "driver": driver, "rerun": 0, "attempts": 1, "error": error, "at": float(number),
    }  # fmt: skip


async def fill(os: Harness, *documents: dict[str, Any]) -> None:
    """Write many dead letters at once."""
    atomic = os.kernel.processor.parts.desk.atomic
    assert atomic is not None
    for first in range(0, len(documents), 500):
        await atomic.transact([Create("deadletters", one) for one in documents[first : first + 500]])


class Counting:
    """The real store, and how much a page asks of it."""

    def __init__(self, os: Harness) -> None:
        self._query = os.kernel.store.query
        self.queries = self.documents = 0

    async def query(self, *arguments: Any, **options: Any) -> Any:
        page = await self._query(*arguments, **options)
        self.queries += 1
        self.documents += len(page.items)
        return page


async def test_a_page_looks_at_so_many_and_no_more_however_few_fit(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        await fill(os, *(a_letter(number) for number in range(MANY)), a_letter(MANY, "other"))
        for limit in (1, 50, LIMIT):
            counting = Counting(os)
            wanted = Wanted(driver="nobody")
            page = await letters.page(counting, "local", wanted, limit=limit)  # type: ignore[arg-type]
            assert (page.items, page.after != "") == ([], True)
            assert counting.documents <= LOOK
            assert counting.queries <= 100


@pytest.mark.parametrize("limit", [7, LIMIT])
async def test_all_pages_together_show_each_one_once_the_newest_first(tmp_path: Path, limit: int) -> None:
    async with an_os(tmp_path, working=False) as os:
        every = [
            a_letter(number, "local" if number % 3 else "other", "shop" if number % 2 else "mail")
            for number in range(MANY)
        ]
        await fill(os, *every)
        found, after, pages = [], "", 0
        while pages == 0 or after:
            page = await letters.page(os.kernel.store, "local", Wanted(driver="shop"), limit=limit, after=after)
            assert len(page.items) <= limit
            found += [row["id"] for row in page.items]
            after, pages = page.after, pages + 1
        assert found == [one["id"] for one in reversed(every) if one["pk"] == "local" and one["driver"] == "shop"]


async def test_groups_count_what_all_pages_hold(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        await fill(
            os, *(a_letter(number) for number in range(MANY)), *(a_letter(number, "other") for number in range(9))
        )
        [group] = await letters.groups(os.kernel.store, "local", Wanted())
        assert (group["count"], group["first"], group["last"], group["sample"]) == (
            MANY, 0.0, MANY - 1.0, f"order {MANY - 1}"
        )  # fmt: skip


async def test_a_dead_letter_of_an_older_version_is_open_and_has_its_group(tmp_path: Path) -> None:
    older = {name: value for name, value in a_letter(1).items() if name not in ("state", "type")}
    async with an_os(tmp_path, working=False) as os:
        await fill(os, older, a_letter(2))
        two, one = (await letters.page(os.kernel.store, "local", Wanted(), limit=10)).items
        assert (one["state"], one["type"], one["fingerprint"]) == ("open", "", two["fingerprint"])


@pytest.mark.parametrize("limit", [0, LIMIT + 1])
async def test_a_page_of_a_size_that_is_none_is_refused(tmp_path: Path, limit: int) -> None:
    async with an_os(tmp_path, working=False) as os:
        with pytest.raises(InvalidRequestError, match=f"a page of {limit}, not of 1 to {LIMIT}"):
            await runlist.page(os.kernel.store, "local", runlist.Wanted(), limit=limit)
