"""Policies with conditions, end to end: at the door, before the drivers, and over what a driver emits."""

from pathlib import Path

import pytest

from tests.support.harness import ANN, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.result import Result
from vextir_os.errors import DeniedError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy


@driver("shop", capabilities=["order.placed"], permissions=["emit:order.*"])
async def shop(event: Event, ctx: Context) -> Result:
    amount = event.data["amount"]
    # What a driver does to its own copy changes nothing of what policies see.
    event.data["amount"] = 0
    return Result(
        output=amount, events=[Event(type="order.accepted", data={"discount": event.data.get("discount", 0)})]
    )


def allow(name: str, action: str, when: str) -> Policy:
    return Policy(id=name, effect="allow", match=Match(action=(action,)), when=when)


DOOR = allow("door", "publish:order.placed", "event.data.amount > 0 and user.id == 'ann'")
DESK = allow("desk", "process:order.*", "event.data.get('amount', 0) < 1000")
OUT = allow("out", "emit:order.accepted", "args.discount <= 10 and event.data.amount < 500")


async def test_the_door_the_drivers_and_what_they_emit_are_asked(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, shop, policies=(DOOR, DESK, OUT), atomic=atomic) as os:
        done = await os.event("order.placed", {"amount": 5, "discount": 3}, "small")
        assert (done["decision"]["policy_id"], done["runs"]["shop"]["state"]) == ("desk", "done")
        assert done["runs"]["shop"]["decisions"][0]["policy_id"] == "out"
        with pytest.raises(DeniedError, match=r"no policy allows `publish:order\.placed`"):
            await os.publish(Event(type="order.placed", data={"amount": 0}))
        denied = await os.event("order.placed", {"amount": 1_000}, "large")
        assert (denied["decision"]["effect"], denied["runs"]) == ("deny", {})
        for name, data in {"generous": {"amount": 5, "discount": 50}, "much": {"amount": 700, "discount": 1}}.items():
            dead = await os.event("order.placed", data, name)
            assert dead["runs"]["shop"]["state"] == "dead"
            assert "may not emit 'order.accepted': no policy allows" in dead["runs"]["shop"]["error"]["message"]
        assert ANN.id == "ann"
