"""What a test sees of an OS under test: runs, outputs, events, decisions, logs; and what it is told when wrong."""

import logging

import pytest

from tests.scenario.kit.cast import greet, guest, sleep
from vextir_os import Event, InvalidError, driver
from vextir_os.errors import DeniedError, UnknownDriverError, UsageError
from vextir_os.testing import open_os

BOTH = pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])


@BOTH
async def test_a_published_event_is_processed_and_all_that_came_of_it_can_be_seen(atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        (stamped,) = await os.publish(guest())
        assert (stamped.id, stamped.source, stamped.userid) == ("e-1", "/cli", "operator")
        assert (os.run("greeter").state, os.run("greeter").status, os.run("greeter").attempts) == ("done", "ok", 1)
        assert os.output("greeter") == {"text": "Hello, Ann"}
        assert os.outputs == ({"text": "Hello, Ann"},)
        assert [(event.type, event.data) for event in os.emitted] == [("greeting.said", {"to": "Ann"})]
        assert [event.type for event in os.events] == ["guest.arrived", "greeting.said"]
        assert [(one.effect, one.action, one.driver) for one in os.decisions] == [
            ("allow", "process:guest.arrived", ""),
            ("allow", "emit:greeting.said", "greeter"),
            ("allow", "process:greeting.said", ""),
        ]
        assert [record.status for record in os.records] == ["ok", "unrouted"]
        assert os.dead == ()


def test_a_plain_function_does_without_await() -> None:
    with open_os(greet) as os:
        os.publish(guest("Bob"))
        assert os.output("greeter") == {"text": "Hello, Bob"}


async def test_what_was_not_awaited_is_done_before_anything_is_looked_at() -> None:
    async with open_os(greet) as os:
        os.publish(guest())
        assert os.output("greeter") == {"text": "Hello, Ann"}


async def test_a_failure_that_was_not_awaited_is_not_lost() -> None:
    with pytest.raises(DeniedError, match=r"may not publish 'guest\.arrived'"):
        async with open_os(greet, policies=[]) as os:
            os.publish(guest())


async def test_logs_are_those_of_drivers_by_text(caplog: pytest.LogCaptureFixture) -> None:
    @driver("talker", capabilities=["talk.wanted"])
    async def talk(event: Event) -> None:
        logging.getLogger("some.library").warning("the %s is low", "ink")

    async with open_os(greet, talk) as os:
        await os.publish(guest(), Event(type="talk.wanted"))
        assert "greeted" in os.logs
        assert "the ink is low" in os.logs
        assert "farewell" not in os.logs
        assert {(line.driver, line.level) for line in os.logs} == {("greeter", "INFO"), ("some.library", "WARNING")}
        assert next(line.fields for line in os.logs if line.driver == "greeter") == {"name": "Ann"}
    logging.getLogger("vextir.driver").warning("after its end")
    assert "after its end" not in os.logs


async def test_runs_are_found_by_event_and_the_newest_otherwise() -> None:
    async with open_os(greet) as os:
        first, second = await os.publish(guest("Ann"), guest("Bob"))
        assert os.run("greeter").event.id == second.id
        assert os.output("greeter", first) == os.output("greeter", "e-1") == {"text": "Hello, Ann"}


async def test_a_driver_that_there_is_not_is_named_with_the_nearest_one() -> None:
    async with open_os(greet) as os:
        for ask in (os.run, os.output, os.calls):
            with pytest.raises(UnknownDriverError, match=r"there is no driver `greter`. Did you mean `greeter`\?"):
                ask("greter")
        with pytest.raises(UnknownDriverError, match="Did you mean `greeter`"):
            os.fail("greter", InvalidError("no"))


async def test_a_run_that_there_is_not_says_what_there_is() -> None:
    async with open_os(greet, sleep) as os:
        with pytest.raises(AssertionError, match=r"sleeper has no run\. No event was published"):
            os.run("sleeper")
        await os.publish(guest())
        with pytest.raises(AssertionError) as error:
            os.run("sleeper")
        assert "<run greeter of e-1 (guest.arrived): done {'text': 'Hello, Ann'}>" in str(error.value)


async def test_an_output_that_there_is_not_says_what_the_run_is() -> None:
    async with open_os(greet) as os:
        os.fail("greeter", InvalidError("no such guest"))
        await os.publish(guest())
        with pytest.raises(AssertionError, match=r"greeter has no output: .*dead InvalidError: no such guest"):
            os.output("greeter")
        assert [(one.driver, one.event_id, one.error.code) for one in os.dead] == [("greeter", "e-1", "VX412")]


async def test_a_large_output_is_there_as_a_small_one_is() -> None:
    @driver("printer", capabilities=["print.wanted"])
    async def print_(event: Event) -> str:
        return "x" * 100_000

    async with open_os(print_) as os:
        await os.publish(Event(type="print.wanted"))
        assert os.output("printer") == "x" * 100_000


async def test_policies_are_given_as_text_as_a_folder_or_as_policies(tmp_path: str) -> None:
    text = "policies:\n  - id: guests\n    effect: allow\n    match: {action: ['publish:guest.*', 'process:guest.*']}\n"
    async with open_os(greet, policies=text) as os:
        await os.publish(guest())
        assert os.decisions[0].policy_id == "guests"
        # The driver's manifest permits it, the policies do not.
        assert "may not emit" in str(os.run("greeter").error)
    with pytest.raises(UsageError, match="there is no folder of policies nowhere"), open_os(greet, policies="nowhere"):
        raise AssertionError("it opened")


async def test_a_message_of_a_stranger_is_no_better_than_on_a_real_queue() -> None:
    async with open_os(greet) as os:
        await os.send(b"{no event", id="m-1")
        await os.send(b'{"type": "guest.arrived", "data": {"name": "Eve"}}', id="m-2")
        assert [letter.kind for letter in os.dead] == ["message"]
        assert os.run("greeter").event.labels == ("untrusted",)


async def test_two_of_them_know_nothing_of_each_other() -> None:
    async with open_os(greet) as one, open_os(greet) as two:
        await one.publish(guest("Ann"))
        await two.publish(guest("Bob"))
        assert (one.outputs, two.outputs) == (({"text": "Hello, Ann"},), ({"text": "Hello, Bob"},))


async def test_a_driver_that_asks_the_os_that_it_runs_in_is_told_so() -> None:
    @driver("nosy", capabilities=["look.wanted"])
    async def look(event: Event) -> int:
        return len(os.runs)

    async with open_os(look) as os:
        await os.publish(Event(type="look.wanted"))
        assert "asked by one of its own drivers" in str(os.run("nosy").error)
