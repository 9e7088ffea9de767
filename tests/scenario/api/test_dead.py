"""Dead letters and runs over HTTP: lists, one in full, and what may be done with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import JSON, Served, a_server, problem
from tests.support.harness import ALLOW_ALL
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy
from vextir_os.runs.paging import LIMIT


@driver("picky", capabilities=["order.**"])
async def picky(event: Event, ctx: Context) -> dict[str, Any]:
    if event.data["n"] < 10 and not ctx.rerun:
        raise InvalidError(f"order {event.data['n']} is too small")
    return {"taken": event.data["n"]}


async def orders(served: Served, *numbers: int) -> None:
    for number in numbers:
        event = {"type": "order.placed", "id": f"o-{number}", "data": {"n": number}}
        assert (await served.client.post("/v1/events", json=event)).status_code == 202
    await served.work_off()


async def dead(served: Served, **asked: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = (await served.client.get("/v1/dead", params=asked)).json()["dead"]
    return found


async def test_dead_letters_are_listed_the_newest_first_a_page_at_a_time(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1, 2, 11, 3)
        rows = await dead(served)
        assert [row["event"] for row in rows] == ["o-3", "o-2", "o-1"]
        row = rows[0]
        assert (row["driver"], row["type"], row["class"], row["attempts"], row["state"]) == (
            "picky", "order.placed", "InvalidError", 1, "open"
        )  # fmt: skip
        assert len({row["fingerprint"] for row in rows}) == 1
        first = (await served.client.get("/v1/dead", params={"limit": "2"})).json()
        assert [row["event"] for row in first["dead"]] == ["o-3", "o-2"]
        second = (await served.client.get("/v1/dead", params={"limit": "2", "after": first["next"]})).json()
        assert ([row["event"] for row in second["dead"]], second["next"]) == (["o-1"], "")


async def test_a_dead_letter_in_full_has_its_traceback_and_attempts(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1)
        [row] = await dead(served)
        found = (await served.client.get(f"/v1/dead/{row['id']}")).json()
        assert found["message"] == "order 1 is too small"
        assert "in picky" in found["error"]["traceback"]
        assert [tried["attempt"] for tried in found["error"]["tried"]] == [1]
        missing = problem(await served.client.get("/v1/dead/nothing"), 404)
        assert missing["detail"] == "there is no dead letter `nothing`"


async def test_a_list_keeps_what_is_asked_for(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1, 2)
        await served.os.send(b"no event", "m-1")
        await served.work_off()
        fingerprint = (await dead(served, driver="picky"))[0]["fingerprint"]
        counts = {
            name: len(await dead(served, **asked))
            for name, asked in {
                "all": {},
                "driver": {"driver": "picky"},
                "type": {"type": "order.*"},
                "class": {"class": "UndecodableError"},
                "group": {"group": fingerprint},
                "nothing": {"driver": "other"},
                "closed": {"state": "replayed"},
            }.items()
        }
        assert counts == {"all": 3, "driver": 2, "type": 2, "class": 1, "group": 2, "nothing": 0, "closed": 0}


async def test_a_replay_runs_it_again_and_says_who_asked(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1)
        [row] = await dead(served)
        done = await served.client.post(f"/v1/dead/{row['id']}/replay", json={"reason": "it is large enough"})
        assert (done.status_code, done.json()["state"]) == (200, "replayed")
        assert (done.json()["closed"]["by"], done.json()["closed"]["reason"]) == ("user:operator", "it is large enough")
        await served.work_off()
        found = (await served.client.get("/v1/runs/o-1")).json()
        assert (found["runs"]["picky"]["output"], found["runs"]["picky"]["rerun"]) == ({"taken": 1}, 1)
        assert [(act["do"], act["by"], act["rerun"]) for act in found["acts"]] == [("replay", "user:operator", 0)]
        again = problem(await served.client.post(f"/v1/dead/{row['id']}/replay", json={}), 409)
        assert again["code"] == "VX604"
        assert await dead(served) == []
        assert [row["state"] for row in await dead(served, state="all")] == ["replayed"]


async def test_an_edit_publishes_a_new_event(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1, 2)
        [two, one] = await dead(served)
        done = (await served.client.post(f"/v1/dead/{one['id']}/replay", json={"data": {"n": 12}})).json()
        whole = {"type": "order.checked", "data": {"n": 13}, "tenantid": "other", "correlationid": "x"}
        other = (await served.client.post(f"/v1/dead/{two['id']}/replay", json={"event": whole})).json()
        await served.work_off()
        for letter, cause, taken in ((done, "o-1", 12), (other, "o-2", 13)):
            found = (await served.client.get(f"/v1/events/{letter['closed']['event']}")).json()
            assert (found["event"]["causationid"], found["event"]["correlationid"]) == (cause, cause)
            assert (found["source"], found["event"]["tenantid"]) == ("/api", "local")
            assert found["runs"]["picky"]["output"] == {"taken": taken}


async def test_a_discarded_one_is_gone_from_the_list(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1)
        [row] = await dead(served)
        done = await served.client.post(f"/v1/dead/{row['id']}/discard", json={"reason": "a test"})
        assert (done.json()["state"], done.json()["closed"]["reason"]) == ("discarded", "a test")
        assert await dead(served) == []
        problem(await served.client.post("/v1/dead/nothing/discard", json={}), 404)


async def test_what_policy_denies_is_a_403(tmp_path: Path) -> None:
    deny = Policy(id="no", effect="deny", match=Match(action=("admin:replay", "admin:discard")), priority=9)
    async with a_server(tmp_path, picky, policies=(*ALLOW_ALL, deny)) as served:
        await orders(served, 1)
        [row] = await dead(served)
        for act in ("replay", "discard"):
            refused = problem(await served.client.post(f"/v1/dead/{row['id']}/{act}", json={}), 403)
            assert refused["policy"] == "no"
        assert await dead(served) == [row]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"data": 1, "event": {"type": "order.x"}}', "both `data` and `event` are given"),
        ('{"event": {"type": "vextir.run"}}', "event type 'vextir.run' is reserved for the OS"),
        ('{"event": {"type": "order.x", "dataref": "vextir-blob:a?size=1&sha256=0"}}', "is a claim check"),
        ('{"event": 7}', "no event: a JSON int"),
        ('{"event": {"type": "order.x", "data": NaN}}', "not JSON"),
        ('{"edit": 1}', "unknown member `edit`"),
    ],
)
async def test_an_edit_that_may_not_enter_changes_nothing(tmp_path: Path, body: str, detail: str) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1)
        [row] = await dead(served)
        refused = await served.client.post(f"/v1/dead/{row['id']}/replay", content=body, headers=JSON)
        assert refused.status_code in (400, 403)
        assert detail in refused.json()["detail"]
        assert await dead(served) == [row]
        assert len(await served.os.records("order.placed")) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("act", ["replay", "discard"])
async def test_an_act_takes_json_alone(tmp_path: Path, act: str, content_type: str) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1)
        [row] = await dead(served)
        headers = {"Content-Type": content_type} if content_type else {}
        refused = await served.client.post(f"/v1/dead/{row['id']}/{act}", content=b"{}", headers=headers)
        assert refused.status_code == 415
        assert await dead(served) == [row]


async def test_runs_are_listed_by_state_driver_and_type(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1, 11)
        rows = (await served.client.get("/v1/runs")).json()["runs"]
        assert [(row["event"], row["driver"], row["state"], row["error"]) for row in rows] == [
            ("o-11", "picky", "done", ""),
            ("o-1", "picky", "dead", "InvalidError"),
        ]
        for asked, events in (
            ({"state": "dead"}, ["o-1"]),
            ({"driver": "picky", "type": "order.placed"}, ["o-11", "o-1"]),
            ({"type": "mail.*"}, []),
            ({"limit": "1"}, ["o-11"]),
        ):
            found = (await served.client.get("/v1/runs", params=asked)).json()["runs"]
            assert [row["event"] for row in found] == events
        problem(await served.client.get("/v1/runs/nothing"), 404)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", f"limit `0` is no number from 1 to {LIMIT}"),
        (f"limit={LIMIT + 1}", "is no number from 1 to"),
        ("limit=%D9%A3", "is no number from 1 to"),
        ("limit=1&limit=2", "limit is given twice"),
        ("state=ded", "state `ded` is none of"),
        ("stat=dead", "unknown parameter `stat`"),
        ("type=a..b", "a..b"),
        ("after=x", "continuation 'x' is none"),
        ("after=%1b[31m", "is none that a query of this store returned"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/dead", "/v1/runs"])
async def test_a_list_that_is_asked_for_wrongly_is_a_400(tmp_path: Path, path: str, query: str, detail: str) -> None:
    async with a_server(tmp_path, picky) as served:
        found = problem(await served.client.get(f"{path}?{query}"), 400)
        assert detail in found["detail"]
        assert found["detail"].isprintable()


async def test_lists_show_one_tenant_its_own(tmp_path: Path) -> None:
    async with a_server(tmp_path, picky) as served:
        await orders(served, 1, 11)
        await served.os.send(b"no event", "m-1")
        await served.work_off()
        [one, two] = await dead(served)
    async with a_server(tmp_path, picky, tenant="other") as served:
        assert await dead(served) == []
        assert (await served.client.get("/v1/runs")).json()["runs"] == []
        for row in (one, two):
            problem(await served.client.get(f"/v1/dead/{row['id']}"), 404)
            problem(await served.client.post(f"/v1/dead/{row['id']}/discard", json={}), 404)
