"""Classes under `@driver`: what they declare, and what is refused before any event has come."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, cast

import pytest
from pydantic import BaseModel

from vextir_os import AgentDriver, Context, Event, IODriver, ToolDriver, UIDriver, driver
from vextir_os.driverkit.call import call_driver, declared, loaded
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestError, ManifestProblemsError
from vextir_os.events.identity import Principal
from vextir_os.registry.registry import Registry
from vextir_os.runs.context import RunContext

loose = cast(Callable[..., Callable[[Any], Any]], driver)
CONTEXT = RunContext(
    driver="mail.reader",
    event_id="e-1",
    principal=Principal(kind="user", id="ann", tenant="acme"),
    attempt=1,
    rerun=0,
    now=1_795_200_000.0,
)


class Mail(BaseModel):
    subject: str


def manifest_of(cls: type) -> Manifest:
    manifest = declared(cls)
    assert manifest is not None
    return manifest


def refused(cls: type, **options: Any) -> str:
    """Return the message of a class that is refused, without its place."""
    with pytest.raises((ManifestError, ManifestProblemsError)) as caught:
        loose("mail.reader", capabilities=["mail.received"], **options)(cls)
    assert isinstance(caught.value, ManifestError), str(caught.value)
    return str(caught.value).removeprefix(f"{caught.value.where}: driver `mail.reader`: ")


def test_a_class_declares_what_a_function_does() -> None:
    @driver("mail.reader", capabilities=["mail.received"], version="2")
    class Reader(IODriver):
        """Reads mail."""

        async def handle(self, event: Event, data: Mail) -> None: ...

    manifest = manifest_of(Reader)
    assert (manifest.form, manifest.kind, manifest.version) == ("class", "io", "2")
    assert (manifest.description, manifest.attribute) == ("Reads mail.", "Reader")
    assert manifest.schema == Mail.model_json_schema()
    assert manifest.entry == f"{__file__}:Reader"
    assert manifest.line == inspect.getsourcelines(Reader)[1]


@pytest.mark.parametrize(
    ("base", "kind"),
    [(AgentDriver, "agent"), (ToolDriver, "tool"), (IODriver, "io"), (UIDriver, "ui"), (object, "tool")],
)
def test_the_kind_comes_from_the_base_class(base: type, kind: str) -> None:
    class Reader(base):  # type: ignore[misc]
        async def handle(self, event: Event) -> None: ...

    assert manifest_of(driver("mail.reader", capabilities=["mail.*"])(Reader)).kind == kind


def test_the_text_of_a_base_class_describes_no_driver() -> None:
    @driver("mail.reader", capabilities=["mail.*"])
    class Reader(AgentDriver):
        async def handle(self, event: Event) -> None: ...

    assert manifest_of(Reader).description == ""


async def test_a_class_binds_what_a_function_binds() -> None:
    @driver("mail.reader", capabilities=["mail.received"])
    class Reader:
        async def handle(self, data: Mail, *, event: Event, ctx: Context) -> list[str]:
            return [data.subject, event.type, ctx.driver]

    event = Event(type="mail.received", data={"subject": "hello"})
    assert await call_driver(loaded(Reader), event, CONTEXT) == ["hello", "mail.received", "mail.reader"]


def test_no_instance_is_made_before_an_event() -> None:
    @driver("mail.reader", capabilities=["mail.*"])
    class Reader:
        def __init__(self) -> None:
            raise AssertionError("made too early")

        async def handle(self, event: Event) -> None: ...

    registry = Registry.of(Reader)
    assert registry.load(registry.get("mail.reader")).manifest.form == "class"


def test_a_subclass_of_a_driver_is_no_driver_of_its_own() -> None:
    @driver("mail.reader", capabilities=["mail.*"])
    class Reader:
        async def handle(self, event: Event) -> None: ...

    class Better(Reader): ...

    with pytest.raises(ManifestError, match=r"`Better` is no driver\. Put @driver"):
        Registry.of(Better)
    assert manifest_of(driver("mail.better", capabilities=["mail.*"])(Better)).id == "mail.better"
    assert manifest_of(Reader).id == "mail.reader"


def test_a_kind_that_is_not_that_of_the_base_class_is_refused_with_its_place() -> None:
    with pytest.raises(ManifestError) as caught:

        @driver("mail.reader", kind="io", capabilities=["mail.*"])
        class Reader(AgentDriver):
            async def handle(self, event: Event) -> None: ...

    line = caught.value.where.rpartition(":")[2]
    assert "@driver" in inspect.getsource(inspect.getmodule(refused)).splitlines()[int(line) - 1]  # type: ignore[arg-type]
    assert caught.value.what == (
        "driver `mail.reader`: kind `io` does not fit the base class `AgentDriver`, whose kind is `agent`"
    )
    assert caught.value.hint == "Leave `kind` out, or derive from `IODriver`"


def test_two_base_classes_of_ours_are_refused() -> None:
    class Reader(AgentDriver, IODriver):  # type: ignore[misc]
        async def handle(self, event: Event) -> None: ...

    assert refused(Reader) == (
        "class `Reader` has the base classes `AgentDriver` and `IODriver`, and a driver has one kind. Keep one of them"
    )


class NoHandle:
    async def handler(self, event: Event) -> None: ...


class Nothing: ...


class Plain:
    def handle(self, event: Event) -> None: ...


class Static:
    @staticmethod
    async def handle(event: Event) -> None: ...


class Generating:
    async def handle(self, event: Event) -> Any:
        yield event


class NoSelf:
    async def handle() -> None: ...  # type: ignore[misc]


class Needy:
    def __init__(self, url: str, *, deep: bool = False) -> None: ...
    async def handle(self, event: Event) -> None: ...


class PlainStart:
    def start(self) -> None: ...
    async def handle(self, event: Event) -> None: ...


class NeedyStop:
    async def stop(self, why: str) -> None: ...
    async def handle(self, event: Event) -> None: ...


class OddHealth:
    health = "well"

    async def handle(self, event: Event) -> None: ...


class Unfinished(ABC):
    @abstractmethod
    def url(self) -> str: ...

    async def handle(self, event: Event) -> str:
        return self.url()


class Untyped:
    async def handle(self, mail) -> None: ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (NoHandle, "class `NoHandle` has no method `handle`. Rename `handler` to `handle`"),
        (Nothing, "class `Nothing` has no method `handle`. Write `async def handle(self, event: Event)`"),
        (
            Plain,
            "`Plain.handle` is a plain method, and `inline` drivers share one event loop. Write `async def handle`",
        ),
        (Static, "`Static.handle` is a staticmethod, not a method. Write `async def handle(self, event: Event)`"),
        (Generating, "`Generating.handle` is a generator. Return a list of events instead of yielding them"),
        (NoSelf, "`NoSelf.handle` has no parameter `self`. Write `async def handle(self, event: Event)`"),
        (
            Needy,
            (
                "`Needy.__init__` needs `url`, and the instance is made without arguments. "
                "Give `url` a default, or read it in `async def start(self)`"
            ),
        ),
        (PlainStart, "`PlainStart.start` is a plain method, and the OS awaits it. Write `async def start(self)`"),
        (NeedyStop, "`NeedyStop.stop` is called with `self` alone. Write `async def stop(self)`"),
        (OddHealth, "`OddHealth.health` is a str, not a method. Write `async def health(self)`"),
        (Unfinished, "class `Unfinished` leaves `url` abstract. Write `url`"),
        (
            Untyped,
            (
                "parameter `mail` has no type and is none of `event`, `ctx`, `data`. "
                "Annotate it with the type of the event's data"
            ),
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_class_that_cannot_work_is_refused(cls: type, message: str) -> None:
    assert refused(cls) == message


def test_one_class_is_one_driver() -> None:
    @driver("mail.reader", capabilities=["mail.*"])
    class Reader:
        async def handle(self, event: Event) -> None: ...

    assert refused(Reader) == (
        "`Reader` is declared as driver `mail.reader` already. Use one @driver, with all capabilities"
    )


def test_all_that_is_wrong_with_a_class_is_said_together() -> None:
    class Reader(AgentDriver):
        def __init__(self, url: str) -> None: ...

    with pytest.raises(ManifestProblemsError) as caught:
        loose("mail.reader", kind="io", capabilities=[])(Reader)
    assert [problem.what.removeprefix("driver `mail.reader`: ") for problem in caught.value.problems] == [
        "kind `io` does not fit the base class `AgentDriver`, whose kind is `agent`",
        "`Reader.__init__` needs `url`, and the instance is made without arguments",
        "class `Reader` has no method `handle`",
        "it has no capabilities",
    ]


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_health_is_refused_where_nobody_asks_for_it(isolation: Any) -> None:
    class Asked(ToolDriver):
        async def handle(self, event: Event) -> None:
            """Take it."""

        async def health(self) -> None:
            """Nobody asks."""

    with pytest.raises(ManifestError) as caught:
        driver("asked", capabilities=["a.b"], isolation=isolation)(Asked)
    assert f"`Asked.health` is asked of drivers that run `inline` alone, and never under `{isolation}`" in str(
        caught.value
    )
