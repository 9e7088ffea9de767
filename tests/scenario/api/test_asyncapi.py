"""The AsyncAPI document over HTTP: behind the key, whole, and the same as on the command line."""

from pathlib import Path

from tests.scenario.api.serving import a_server, hear, problem
from tests.support.asyncapi import problems_of
from vextir_os import Event, driver
from vextir_os.registry.registry import Registry


async def test_it_is_served_and_valid(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "3.1"\n')
    async with a_server(tmp_path, hear, port=8301) as served:
        response = await served.client.get("/v1/asyncapi.json")
        again = await served.client.get("/v1/asyncapi.json")
    document = response.json()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert problems_of(document) == []
    assert document["info"] == {"title": "shop", "version": "3.1"}
    assert document["servers"]["http"]["host"] == "127.0.0.1:8301"
    assert "hear:receive:said.ALL" in document["operations"]
    assert again.content == response.content


async def test_it_needs_the_key(tmp_path: Path) -> None:
    async with a_server(tmp_path, headers={}) as served:
        assert problem(await served.client.get("/v1/asyncapi.json"), 401)["code"] == "VX902"


async def test_after_a_reload_it_tells_of_the_new_drivers(tmp_path: Path) -> None:
    @driver("shop.till", capabilities=["order.placed"])
    async def till(event: Event) -> None: ...

    async with a_server(tmp_path, hear) as served:
        before = (await served.client.get("/v1/asyncapi.json")).json()["operations"]
        served.os.kernel.registry.become(Registry.of(till).manifests.values())
        after = (await served.client.get("/v1/asyncapi.json")).json()["operations"]
    assert (list(before), list(after)) == (
        ["hear:receive:said.ALL", "vextir:send:vextir.error"],
        ["shop.till:receive:order.placed", "vextir:send:vextir.error"],
    )
