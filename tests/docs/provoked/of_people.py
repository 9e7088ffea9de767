"""Codes of runs, settings, callers and command lines: 6xx and 9xx."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from tests.docs.provoked.seen import Provocation, Seen, raised, recorded
from tests.scenario.api.serving import a_server
from tests.support.harness import ANN, an_os
from vextir_os import Event, driver
from vextir_os.api.access import door
from vextir_os.cli.config import get
from vextir_os.cli.options import seconds
from vextir_os.cli.outcome import wait_for_all
from vextir_os.runs.record import new_run
from vextir_os.runs.transitions import MAX_TAKEOVERS, Hold, claim, owned
from vextir_os.scaffold.openapi.reading import read_document
from vextir_os.scaffold.wheel import repacked
from vextir_os.settings import load_settings

NOW = 1_795_200_000.0


@driver("shop.till", capabilities=["order.placed"], permissions=["emit:order.placed"])
async def again(event: Event) -> Event:
    return Event(type="order.placed")


@driver("shop.till", capabilities=["order.placed"])
async def till(event: Event) -> None: ...


async def worker_lost(_folder: Path) -> Seen:
    run = new_run(now=NOW, owner="w", lease_s=45, hashes={})
    for _ in range(MAX_TAKEOVERS + 1):
        run = claim(run, owner="w", now=NOW, lease=45)
    assert run["error"] is not None
    return Seen(run["error"]["code"], run["error"]["message"])


async def lost_run(_folder: Path) -> Seen:
    run = new_run(now=NOW, owner="w1", lease_s=45, hashes={})
    later = claim(run, owner="w2", now=NOW + 60, lease=45)
    return await raised(lambda: owned(later, Hold(fence=1, owner="w1")))


async def wait_time_out(folder: Path) -> Seen:
    async with an_os(folder, till, working=False) as os:
        events = await os.publish(Event(id="e-1", type="order.placed"))
        return await raised(lambda: wait_for_all(os.kernel.store, events, 0.001))


async def run_state(folder: Path) -> Seen:
    async with an_os(folder, till) as os:
        await os.run(Event(id="e-1", type="order.placed"))
        return await raised(lambda: os.kernel.control.cancel("e-1", ANN))


async def storm(folder: Path) -> Seen:
    return await recorded(folder, again, max_depth=0)


async def setting(_folder: Path) -> Seen:
    return await raised(lambda: door("too short", ()))


async def settings_problems(folder: Path) -> Seen:
    return await raised(lambda: load_settings(folder, {"VEXTIR_PORT": "http", "VEXTIR_CONCURRENCY": "0"}))


async def no_key(folder: Path) -> Seen:
    async with a_server(folder, headers={}) as served:
        answer = (await served.client.get("/v1/events")).json()
    return Seen(answer["code"], f"{answer['detail']}. {answer['hint']}")


async def usage(_folder: Path) -> Seen:
    return await raised(lambda: seconds("soon", "--timeout"))


async def unknown_setting(folder: Path) -> Seen:
    return await raised(lambda: get("prot", project=folder))


async def package(folder: Path) -> Seen:
    info = folder / "vextir_os-0.1.0.dist-info"
    info.mkdir()
    return await raised(lambda: repacked(metadata.PathDistribution(info)))


async def api_document(folder: Path) -> Seen:
    (folder / "openapi.json").write_text('{"swagger": "2.0"}')
    return await raised(lambda: read_document(folder / "openapi.json"))


OF_PEOPLE: Mapping[str, Provocation] = {
    "VX600": worker_lost,
    "VX601": lost_run,
    "VX603": wait_time_out,
    "VX604": run_state,
    "VX605": storm,
    "VX900": setting,
    "VX901": settings_problems,
    "VX902": no_key,
    "VX903": usage,
    "VX904": unknown_setting,
    "VX910": package,
    "VX911": api_document,
}
