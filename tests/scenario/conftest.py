"""Both ways of committing: one transaction over store and queue, as on SQLite, and the outbox, as on Azure."""

import pytest


@pytest.fixture(params=[True, False], ids=["one-transaction", "outbox"])
def atomic(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)
