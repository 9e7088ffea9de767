"""Reading records for people: what belongs to another tenant is neither found nor in the way."""

from pathlib import Path
from typing import Any

import pytest

from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.events.ids import partition, record_id
from vextir_os.runs.reading import find
from vextir_os.runs.record import EVENTS


def document(tenant: str, source: str) -> dict[str, Any]:
    return {
        "id": record_id(tenant, source, "e-1"),
        "pk": partition(tenant, "e-1"),
        "event_id": "e-1",
        "event": {"source": source},
    }


@pytest.mark.parametrize("others", [0, 1, 250])
async def test_an_event_is_found_however_many_of_other_tenants_have_its_id(tmp_path: Path, others: int) -> None:
    async with open_storage(tmp_path / "v.db") as storage:
        for number in range(others):
            await storage.store.create(EVENTS, document("other", f"/{number}"))
        assert await find(storage.store, "acme", "e-1") is None
        await storage.store.create(EVENTS, document("acme", "/mail"))
        found = await find(storage.store, "acme", "e-1")
        assert found is not None
        assert found["id"] == record_id("acme", "/mail", "e-1")
        assert await find(storage.store, "ac", "e-1") is None
