"""Which drivers run for an event, and what becomes of events that none runs for."""

from pathlib import Path

from tests.support.harness import ALLOW_ALL, ANN, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.events.ids import emitted_id
from vextir_os.policy.model import Match, Policy
from vextir_os.runs.record import status


@driver("ask", capabilities=["question.asked"], permissions=["emit:question.answered"])
async def ask(event: Event) -> Result:
    return Result(output={"got": event.data["text"]}, events=[Event(type="question.answered", data={"text": "42"})])


@driver("hear", capabilities=["question.*"])
async def hear(event: Event) -> dict[str, str]:
    return {"heard": event.type}


@driver("hear.all", capabilities=["**"])
async def hear_all(event: Event) -> str:
    return "all"


async def test_every_driver_that_fits_runs(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, ask, hear, hear_all, atomic=atomic) as os:
        record = await os.event("question.asked", {"text": "why"})
        outputs = {driver: run["output"] for driver, run in record["runs"].items()}
        assert outputs == {"ask": {"got": "why"}, "hear": {"heard": "question.asked"}, "hear.all": "all"}
        assert {run["state"] for run in record["runs"].values()} == {"done"}
        assert status(record) == "ok"


async def test_of_types_set_to_best_only_the_most_specific_driver_runs(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, ask, hear, hear_all, atomic=atomic, best_of=("question.**",)) as os:
        asked = await os.event("question.asked", {"text": "why"})
        other = await os.event("note.written", event_id="e-2")
        assert list(asked["runs"]) == ["ask"]
        assert list(other["runs"]) == ["hear.all"]


async def test_an_event_that_no_driver_handles_is_kept_as_unrouted(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, ask, atomic=atomic) as os:
        record = await os.event("weather.changed", {"wind": 3})
        assert (status(record), record["runs"], record["event"]["data"]) == ("unrouted", {}, {"wind": 3})
        assert record["ttl"] == os.kernel.settings.retention_s
        await os.settled()


async def test_a_denied_event_is_final_with_its_policy_on_the_record(tmp_path: Path, atomic: bool) -> None:
    deny = Policy(
        id="no-questions", effect="deny", match=Match(action=("process:question.**",)), reason="Nobody asks here."
    )
    async with an_os(tmp_path, ask, atomic=atomic, policies=(*ALLOW_ALL, deny)) as os:
        record = await os.event("question.asked", {"text": "why"})
        assert (status(record), record["runs"]) == ("denied", {})
        assert record["decision"]["policy_id"] == "no-questions"
        assert record["decision"]["reason"] == "Nobody asks here."
        assert record["decision"]["bundle_hash"] == os.kernel.policy.bundle.hash
        await os.settled()


async def test_what_no_policy_allows_is_denied(tmp_path: Path, atomic: bool) -> None:
    allow_in = Policy(id="in", effect="allow", match=Match(action=("publish:**",)))
    async with an_os(tmp_path, ask, atomic=atomic, policies=(allow_in,)) as os:
        record = await os.event("question.asked", {"text": "why"})
        assert record["decision"]["policy_id"] is None
        assert record["decision"]["reason"] == "no policy allows `process:question.asked` for user:ann"


async def test_an_emitted_event_knows_where_it_comes_from(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, ask, atomic=atomic) as os:
        (parent,) = await os.run(Event(id="e-1", type="question.asked", data={"text": "why"}, labels=("pii",)))
        (child,) = await os.records("question.answered")
        event = child["event"]
        assert event["id"] == emitted_id("local", "/cli", "e-1", "ask", 0, "end", 0)
        assert (event["causationid"], event["correlationid"]) == ("e-1", "e-1")
        assert (event["source"], event["tenantid"], event["userid"]) == ("/drivers/ask", "local", "ann")
        assert (event["labels"], event["category"], event["data"]) == ("pii", "internal", {"text": "42"})
        assert child["pk"] == parent["pk"]
        [decision] = parent["runs"]["ask"]["decisions"]
        assert (decision["action"], decision["policy_id"]) == ("emit:question.answered", "allow-all")


async def test_labels_and_identity_travel_along_a_chain(tmp_path: Path, atomic: bool) -> None:
    def follow(number: int):  # type: ignore[no-untyped-def]
        @driver(f"step{number}", capabilities=[f"step.s{number}"], permissions=["emit:step.*"])
        async def step(event: Event) -> Event:
            return Event(type=f"step.s{number + 1}", labels=(f"seen{number}",), tenantid="evil", userid="root")

        return step

    async with an_os(tmp_path, follow(1), follow(2), follow(3), atomic=atomic) as os:
        await os.run(Event(id="e-1", type="step.s1", source="/somewhere"))
        (last,) = await os.records("step.s4")
        assert last["event"]["labels"] == "seen1,seen2,seen3,untrusted"
        assert (last["event"]["tenantid"], last["event"]["userid"]) == ("local", "ann")
        assert last["event"]["correlationid"] == "e-1"


async def test_ids_of_emitted_events_are_the_same_in_every_installation(tmp_path: Path, atomic: bool) -> None:
    ids = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        async with an_os(folder, ask, atomic=atomic) as os:
            await os.event("question.asked", {"text": "why"})
            ids.append([record["event_id"] for record in await os.records("question.answered")])
    assert ids[0] == ids[1]
    assert len(ids[0]) == 1


async def test_a_driver_sees_the_event_and_on_whose_behalf_it_runs(tmp_path: Path, atomic: bool) -> None:
    @driver("look", capabilities=["thing.seen"])
    async def look(event: Event, ctx: Context) -> dict[str, object]:
        return {"who": str(ctx.principal), "tenant": ctx.principal.tenant, "attempt": ctx.attempt, "rerun": ctx.rerun,
                "driver": ctx.driver, "event": ctx.event_id, "source": event.source}  # fmt: skip

    async with an_os(tmp_path, look, atomic=atomic) as os:
        record = await os.event("thing.seen")
        assert record["runs"]["look"]["output"] == {
            "who": str(ANN), "tenant": "local", "attempt": 1, "rerun": 0, "driver": "look", "event": "e-1",
            "source": "/cli",
        }  # fmt: skip


async def test_what_a_driver_does_to_its_data_stays_with_it(tmp_path: Path, atomic: bool) -> None:
    def changing(name: str):  # type: ignore[no-untyped-def]
        @driver(name, capabilities=["list.sent"])
        async def change(event: Event) -> list[int]:
            event.data["items"].append(99)
            return list(event.data["items"])

        return change

    async with an_os(tmp_path / "two", changing("a"), changing("b"), atomic=atomic) as os:
        record = await os.event("list.sent", {"items": [1]})
        assert [run["output"] for run in record["runs"].values()] == [[1, 99], [1, 99]]
        assert record["event"]["data"] == {"items": [1]}
    async with an_os(tmp_path / "one", changing("a"), atomic=atomic) as os:
        record = await os.event("list.sent", {"items": [1]})
        assert record["event"]["data"] == {"items": [1]}
