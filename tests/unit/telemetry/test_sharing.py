"""Counts of several processes as one."""

from pathlib import Path

import pytest

from vextir_os.events import jsonio
from vextir_os.telemetry.counts import Counts
from vextir_os.telemetry.sharing import as_json, forget, shared, together


def some(number: int) -> Counts:
    """Return counts in which everything there is was counted."""
    counts = Counts(admitted=number, received=number, again=number, unlogged=number)
    for tally in (counts.published, counts.refused, counts.finished):
        tally.add(f"n{number}")
    counts.decided("process", "allow", number)
    for by_label in (counts.dead_letters, counts.settled, counts.missed, counts.swept):
        by_label[next(iter(by_label))] += number
    counts.wait.add(number)
    counts.latency.add(number)
    driver = counts.driver("shop")
    driver.duration.add(number)
    driver.retries = driver.lost = driver.emitted = driver.states["done"] = number
    return counts


async def test_what_all_processes_counted_is_added_up(tmp_path: Path) -> None:
    async with shared(tmp_path, "one", some(2)), shared(tmp_path, "two", some(3)):
        pass
    found = as_json(together(some(4), tmp_path))
    assert found["admitted"] == found["received"] == found["again"] == found["unlogged"] == 9
    assert found["published"] == {"n2": 1, "n3": 1, "n4": 1}
    assert found["decisions"] == {"process allow": 9}
    assert (found["settled"]["complete"], found["swept"]["sweeps"], found["missed"]["conflict"]) == (9, 9, 9)
    shop = found["drivers"]["shop"]
    assert (shop["retries"], shop["states"]["done"], shop["duration"]["total"]) == (9, 9, 9)
    assert sum(found["wait"]["counts"]) == sum(shop["duration"]["counts"]) == 3


async def test_a_process_that_ended_is_still_counted_until_the_next_start(tmp_path: Path) -> None:
    async with shared(tmp_path, "one", some(2)):
        pass
    assert together(Counts(), tmp_path).admitted == 2
    forget(tmp_path)
    assert together(Counts(), tmp_path).admitted == 0


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"admitted": 7', id="torn"),
        pytest.param(b"[]", id="no-counts"),
        pytest.param(jsonio.dumps(as_json(some(5)) | {"drivers": {"shop": {}}}), id="half"),
        pytest.param(jsonio.dumps(as_json(some(5)) | {"wait": {"counts": [1], "total": 1}}), id="other-buckets"),
    ],
)
def test_a_file_that_is_no_whole_count_adds_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    assert as_json(together(some(4), tmp_path)) == as_json(some(4))


async def test_counts_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "counts"
    async with shared(folder, "one", Counts()):
        pass
    [file] = folder.iterdir()
    assert (file.name, file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == ("one.json", 0o600, 0o700)


async def test_a_folder_that_cannot_be_written_costs_nothing_but_the_counts(tmp_path: Path) -> None:
    (tmp_path / "counts").write_text("a file")
    async with shared(tmp_path / "counts", "one", some(1)):
        pass
    assert together(some(4), tmp_path / "counts").admitted == 4
