"""An outage is waited out inside the lock of a message: it costs few deliveries, and nothing is lost."""

from random import Random

import pytest

from tests.simulation.invariants import violations
from tests.simulation.weather import Outage, fair, weather
from tests.simulation.world import World

OUTAGE_S = 400.0


@pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
def test_an_outage_costs_few_deliveries(atomic: bool) -> None:
    """Given back at once, they would use up every delivery of a backlog in a second."""
    sky = fair(weather(Random(1), atomic=atomic))  # noqa: S311 - chance, not secrets
    world = World(1, atomic=atomic, sky=sky)
    world.outages.append(Outage(start_s=1.0, end_s=OUTAGE_S, queue_too=False))
    world.loop.run(world.run())
    assert violations(world) == []
    assert 1 < world.broker.most_deliveries < OUTAGE_S / 5
