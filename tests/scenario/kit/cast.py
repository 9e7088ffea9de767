"""Drivers for the tests of the kit."""

import asyncio
from typing import Any

from vextir_os import Context, Event, Result, driver


@driver("greeter", capabilities=["guest.arrived"], permissions=["emit:greeting.said"])
async def greet(event: Event, ctx: Context) -> Result:
    """Greet a guest."""
    ctx.log("greeted", name=event.data.name)
    return Result(
        output={"text": f"Hello, {event.data.name}"},
        events=[Event(type="greeting.said", data={"to": event.data.name})],
    )


@driver("sleeper", capabilities=["nap.wanted"], timeout="2m")
async def sleep(event: Event) -> dict[str, Any]:
    """Sleep for as long as is asked for."""
    await asyncio.sleep(event.data.seconds)
    return {"slept": event.data.seconds}


def guest(name: str = "Ann", event_id: str = "") -> Event:
    """Return the event that a guest has arrived."""
    return Event(id=event_id, type="guest.arrived", data={"name": name})
