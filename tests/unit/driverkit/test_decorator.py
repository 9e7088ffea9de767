import functools
import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from vextir_os import Event, Retry, driver
from vextir_os.driverkit.manifest import Isolation, Manifest
from vextir_os.errors import ManifestError, ManifestProblemsError

loose = cast(Callable[..., Callable[[Any], Any]], driver)
"""The decorator without its types: what a driver file gets wrong, no type checker has seen."""


def manifest_of(function: Any) -> Manifest:
    manifest: Manifest = function.__vextir_driver__
    return manifest


def declared(*args: Any, **options: Any) -> Manifest:
    async def read(event: Event) -> None: ...

    return manifest_of(loose(*args, **options)(read))


def refused(*args: Any, **options: Any) -> str:
    """Return the message of a declaration that is refused, without its place."""
    with pytest.raises((ManifestError, ManifestProblemsError)) as caught:
        declared(*args, **options)
    assert isinstance(caught.value, ManifestError), str(caught.value)
    return str(caught.value).removeprefix(f"{caught.value.where}: ")


def test_a_driver_stays_the_function_it_was() -> None:
    async def read(event: Event) -> str:
        return event.type

    assert driver("mail.reader", capabilities=["mail.received"])(read) is read


async def test_a_driver_can_still_be_called() -> None:
    @driver("mail.reader", capabilities=["mail.received"])
    async def read(event: Event) -> str:
        return event.type

    assert await read(Event(type="mail.received")) == "mail.received"


def test_a_manifest_holds_what_was_declared() -> None:
    @driver(
        "research.agent",
        kind="agent",
        capabilities=["research.request", "research.*.again"],
        permissions=["model:chat/*", "emit:research.*"],
        timeout="60s",
        memory="512MB",
        retry=Retry(max_attempts=3),
        delivery="idempotent",
        version="2.1",
        description="Finds things out.",
    )
    async def research(event: Event) -> None: ...

    line = inspect.getsourcelines(research)[1]
    assert manifest_of(research) == Manifest(
        id="research.agent",
        kind="agent",
        capabilities=("research.request", "research.*.again"),
        permissions=("model:chat/*", "emit:research.*"),
        timeout_s=60.0,
        memory_bytes=512_000_000,
        retry=Retry(max_attempts=3),
        isolation="inline",
        delivery="idempotent",
        version="2.1",
        description="Finds things out.",
        module=__name__,
        attribute="research",
        entry=f"{__file__}:research",
        line=line,
    )


def test_what_is_not_declared_has_a_default() -> None:
    manifest = declared("mail.reader", capabilities=["mail.received"])
    assert (manifest.kind, manifest.permissions, manifest.timeout_s, manifest.memory_bytes) == ("tool", (), 30.0, None)
    assert (manifest.retry, manifest.isolation, manifest.delivery, manifest.version) == (
        Retry(),
        "inline",
        "default",
        "1",
    )


def test_the_description_is_the_first_line_of_the_docstring() -> None:
    @driver("mail.reader", capabilities=["mail.received"])
    async def read(event: Event) -> None:
        """Read a mail.

        And more.
        """

    assert manifest_of(read).description == "Read a mail."


@pytest.mark.parametrize("timeout", ["90s", "1.5m", 90, 90.0, timedelta(seconds=90)], ids=repr)
def test_a_timeout_may_be_written_in_each_of_these_ways(timeout: Any) -> None:
    assert declared("a", capabilities=["b"], timeout=timeout).timeout_s == 90.0


def rules(on: Any) -> Retry:
    """Return rules with whatever somebody writes for single kinds."""
    return Retry(on=on)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"timeout": "0s"}, 'timeout 0.0 is not between 1 ms and 1 hour. Write timeout="30s"', id="no-time"
        ),
        pytest.param({"timeout": "61m"}, "timeout 3660.0 is not between 1 ms and 1 hour", id="over-an-hour"),
        pytest.param({"timeout": "soon"}, "timeout 'soon' is not a duration such as", id="no-duration"),
        pytest.param({"memory": "lots"}, "memory 'lots' is not a size such as \"512MB\"", id="no-size"),
        pytest.param({"memory": "1KB"}, 'memory 1000 is not between 1 MB and 64 GB. Write memory="512MB"', id="small"),
        pytest.param({"retry": 3}, "retry is of type `int`. Write retry=Retry(max_attempts=5)", id="retry-number"),
        pytest.param(
            {"retry": Retry(max_attempts=0)}, "retry max_attempts 0 is not a whole number from 1 to 100", id="0"
        ),
        pytest.param({"retry": Retry(max_attempts=101)}, "retry max_attempts 101 is not a whole number", id="101"),
        pytest.param({"retry": Retry(base_s=0)}, "retry base_s 0 is not a number of seconds between 0.001", id="base"),
        pytest.param({"retry": Retry(base_s=float("nan"))}, "retry base_s nan is not a number of seconds", id="nan"),
        pytest.param({"retry": Retry(base_s=9, cap_s=8)}, "retry cap_s 8 is not a number of seconds between", id="cap"),
        pytest.param({"retry": rules(3)}, "retry on is of type `int`. Write on={", id="retry-on"),
        pytest.param(
            {"retry": rules({"throtled": Retry()})},
            "retry on `throtled` is no kind of failure. Did you mean `throttled`?",
            id="retry-on-typo",
        ),
        pytest.param({"retry": rules({"invalid": Retry()})}, "retry on `invalid` is never tried again", id="on-never"),
        pytest.param({"retry": rules({"bug": Retry(base_s=0)})}, "retry on `bug`: base_s 0 is not", id="retry-on-0"),
        pytest.param({"retry": rules({"bug": 3})}, "retry on `bug`: is of type `int`", id="retry-on-number"),
        pytest.param(
            {"retry": rules({"bug": rules({"bug": Retry()})})},
            "retry on `bug` has rules for kinds of its own",
            id="retry-on-on",
        ),
        pytest.param({"errors": ["KeyError"]}, "errors is of type `list`. Write errors={", id="errors-list"),
        pytest.param({"errors": {KeyError: "bug"}}, "errors: <class 'KeyError'> does not name", id="errors-class"),
        pytest.param({"errors": {"Key Error": "bug"}}, "errors: 'Key Error' does not name an", id="errors-name"),
        pytest.param(
            {"errors": {"KeyError": "invald"}},
            "errors: `invald` is no kind of failure. Did you mean `invalid`?",
            id="errors-kind",
        ),
        pytest.param(
            {"errors": {f"E{n}": "bug" for n in range(65)}}, "65 errors, at most 64 are allowed", id="errors-many"
        ),
        pytest.param({"kind": "agnt"}, "unknown kind `agnt`. Did you mean `agent`?", id="kind"),
        pytest.param({"kind": "x"}, "unknown kind `x`. It is one of `agent`, `tool`, `io`, `ui`", id="kind-no-near"),
        pytest.param(
            {"delivery": "idempotnt"}, "unknown delivery `idempotnt`. Did you mean `idempotent`?", id="delivery"
        ),
        pytest.param({"capabilities": []}, "it has no capabilities. Name the event types it handles", id="none"),
        pytest.param({"capabilities": "mail.*"}, "capabilities is not a list of texts. Write capabilities=", id="text"),
        pytest.param({"capabilities": {"mail.*"}}, "capabilities is not a list of texts", id="set-has-no-order"),
        pytest.param({"capabilities": [1]}, "capabilities is not a list of texts", id="numbers"),
        pytest.param({"capabilities": ["Mail.*"]}, "capability pattern 'Mail.*' is not a dotted", id="case"),
        pytest.param({"capabilities": ["a", "b", "a"]}, "`a` stands twice in capabilities. Remove one", id="twice"),
        pytest.param(
            {"capabilities": [f"a.b{n}" for n in range(33)]}, "33 capabilities, at most 32 are allowed", id="33"
        ),
        pytest.param({"permissions": "emit:a"}, "permissions is not a list of texts", id="permissions-text"),
        pytest.param({"permissions": ["emit:a"] * 2}, "`emit:a` stands twice in permissions", id="permission-twice"),
        pytest.param({"version": 1}, 'version is of type `int`, not text. Write version="..."', id="version"),
        pytest.param({"version": ""}, 'version is empty. Write version="1"', id="no-version"),
        pytest.param({"description": "a\x1b[2Jb"}, "description holds control characters", id="control"),
        pytest.param({"description": "a" * 1_001}, "description has 1001 characters, at most 1000", id="long"),
        pytest.param({"capabilites": ["a"]}, "unknown option `capabilites`. Did you mean `capabilities`?", id="option"),
        pytest.param({"zzz": 1}, "unknown option `zzz`. The options are: id, kind, capabilities,", id="option-no-near"),
    ],
)
def test_a_wrong_option_is_named_with_what_to_write(options: dict[str, Any], message: str) -> None:
    assert refused("mail.reader", **({"capabilities": ["mail.received"]} | options)).startswith(
        f"driver `mail.reader`: {message}"
    )


@pytest.mark.parametrize("isolation", ["inline", "thread"])
@pytest.mark.parametrize(
    "option", [{"cpu": "1s"}, {"processes": 1}, {"env": ["HTTP_PROXY"]}], ids=lambda given: next(iter(given))
)
def test_a_limit_that_nothing_would_enforce_is_refused(isolation: str, option: dict[str, Any]) -> None:
    (name,) = option
    assert refused("a", capabilities=["b"], isolation=isolation, **option) == (
        f'driver `a`: {name} is not enforced for isolation `{isolation}`. Write isolation="process"'
    )


@pytest.mark.parametrize(
    "name", ["VEXTIR_API_KEY", "AZURE_CLIENT_ID", "AWS_PROFILE", "OPENAI_BASE", "db_password", "GH_TOKEN", "LD_PRELOAD"]
)
def test_no_secret_is_handed_to_a_process(name: str) -> None:
    assert refused("a", capabilities=["b"], isolation="process", env=[name]) == (
        f"driver `a`: env `{name}` looks like a secret, and no secret enters a driver's process. "
        'Run it isolation="thread" if it needs one'
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        pytest.param({"cpu": 0.01}, 'cpu 0.01 is not between 100 ms and 1 hour. Write cpu="10s"', id="cpu"),
        pytest.param(
            {"processes": -1}, "processes -1 is not a whole number from 0 to 1000. Write processes=2", id="processes"
        ),
        pytest.param(
            {"env": ["A B"]}, 'env `A B` is no name of an environment variable. Write env=["HTTP_PROXY"]', id="env"
        ),
    ],
)
def test_a_limit_of_a_process_out_of_its_range_is_refused(option: dict[str, Any], message: str) -> None:
    assert refused("a", capabilities=["b"], isolation="process", **option) == f"driver `a`: {message}"


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_plain_function_may_block_a_thread_or_a_process_of_its_own(isolation: Isolation) -> None:
    @driver("a", capabilities=["b"], isolation=isolation)
    def run(event: Event) -> int:
        return 1

    assert manifest_of(run).isolation == isolation


@pytest.mark.parametrize(
    ("driver_id", "message"),
    [
        ("", 'driver ``: it has no id. Write the id first: @driver("mail.reader", ...)'),
        ("Mail", "driver `Mail`: the id is not a dotted lower-case name"),
        ("a~b", "driver `a~b`: the id is not a dotted lower-case name"),
        ("a" * 65, f"driver `{'a' * 65}`: the id has 65 characters, at most 64 are allowed"),
    ],
    ids=["none", "case", "sign", "long"],
)
def test_a_wrong_id_is_refused(driver_id: str, message: str) -> None:
    assert refused(driver_id, capabilities=["b"]).startswith(message)


def test_all_problems_of_a_declaration_come_together() -> None:
    with pytest.raises(ManifestProblemsError) as caught:
        declared("mail.reader", kind="agnt", timeout="soon", capabilities=["Mail.*"])
    assert [problem.what.split(": ", 1)[1][:12] for problem in caught.value.problems] == [
        "timeout 'soo",
        "unknown kind",
        "capability p",
    ]


def test_a_problem_names_file_and_line_of_the_function() -> None:
    async def read(event: Event) -> None: ...

    with pytest.raises(ManifestError) as caught:
        loose("mail.reader")(read)
    assert caught.value.where == f"{__file__}:{read.__code__.co_firstlineno}"


def test_a_plain_function_is_told_to_become_async() -> None:
    def read(event: Event) -> None: ...

    with pytest.raises(ManifestError) as caught:
        loose("mail.reader", capabilities=["mail.*"])(read)
    assert caught.value.what == (
        "driver `mail.reader`: `read` is a plain function, and `inline` drivers share one event loop"
    )
    assert caught.value.hint == "Write `async def read`"


def test_a_generator_is_told_to_return_a_list() -> None:
    async def read(event: Event) -> Any:
        yield event

    with pytest.raises(ManifestError) as caught:
        loose("mail.reader", capabilities=["mail.*"])(read)
    assert caught.value.what == "driver `mail.reader`: `read` is a generator"
    assert caught.value.hint == "Return a list of events instead of yielding them"


def test_a_partial_is_no_driver() -> None:
    async def read(event: Event, deep: bool) -> None: ...

    with pytest.raises(ManifestError, match=r"a partial is no driver\. Put @driver on an async function, or on a"):
        loose("mail.reader", capabilities=["mail.*"])(functools.partial(read, deep=True))


def test_one_function_is_one_driver() -> None:
    @driver("mail.reader", capabilities=["mail.*"])
    async def read(event: Event) -> None: ...

    with pytest.raises(ManifestError) as caught:
        driver("mail.second", capabilities=["mail.*"])(read)
    assert caught.value.what == "driver `mail.second`: `read` is declared as driver `mail.reader` already"


def test_the_decorator_without_brackets_is_refused_at_the_function() -> None:
    async def read(event: Event) -> None: ...

    with pytest.raises(ManifestError) as caught:
        loose(read)
    assert str(caught.value) == (
        f"{__file__}:{read.__code__.co_firstlineno}: @driver stands without an id. "
        'Write @driver("mail.reader", capabilities=["mail.received"]) on an async function or a class'
    )
