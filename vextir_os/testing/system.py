"""An OS under test: real processor, real stages, real SQLite; its time is virtual, and it does what a test says.

What a test may say and see stands here; `opening` puts one together.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from vextir_os.driverkit.durations import parse_duration
from vextir_os.errors import UsageError
from vextir_os.events import jsonio
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.events.names import is_reserved
from vextir_os.kernel import Kernel, operator
from vextir_os.ports.queue import Message, Scalar
from vextir_os.runs.claimcheck import encoded_out
from vextir_os.runs.deadletter import error_of
from vextir_os.runs.record import DEAD_LETTERS, EVENTS
from vextir_os.testing.clock import VirtualClock
from vextir_os.testing.crew import Crew
from vextir_os.testing.ground import Done, Ground
from vextir_os.testing.project import Made
from vextir_os.testing.rounds import ROUNDS
from vextir_os.testing.trouble import Port, Script, Trouble
from vextir_os.testing.views import DeadLetter, Decision, LogLine, Logs, Record, Run, letter_of, record_of

if TYPE_CHECKING:
    from vextir_os.testing.chamber import Tortured


class OS:
    """An OS under test. Made by `open_os`; the fixture `os` is one.

    What does something (`publish`, `advance`, `finish`, …) begins at once; in a coroutine it is awaited. What looks
    (`run`, `output`, `records`, …) answers at once. Names of drivers that there are not raise `UnknownDriverError`,
    with the nearest one.

    Attributes:
        clock: Its time; `clock.now` is an aware datetime.
        made: What it is made of.
        crew: Who works for it.
        trouble: What is to go wrong with them.
    """

    def __init__(
        self, made: Made, ground: Ground, crew: Crew, clock: VirtualClock, trouble: Trouble, lines: Sequence[LogLine]
    ) -> None:
        self.made = made
        self.clock = clock
        self._ground = ground
        self.crew = crew
        self.trouble = trouble
        self._lines = lines
        self._named = 0

    # What it does

    def publish(self, *events: Event, copies: int = 1, user: str = "", source: str = "/cli") -> Done[tuple[Event, ...]]:
        """Publish events and run until nothing is left to do now; return them as they were stamped.

        Time moves only as far as drivers sleep: what is due later (a retry, say) waits for `advance`. Events without
        an id are called `e-1`, `e-2`, …

        Args:
            events: Any number, accepted together or not at all.
            copies: How often each is published, under one id.
            user: On whose behalf; by default the operator's.
            source: Of events that name none.

        Raises:
            DeniedError: No policy allows it.
            EventError: One of them is none that may come in from outside.
        """
        named = [event if event.id else event.but(id=self._next_name()) for event in events]

        async def work() -> tuple[Event, ...]:
            kernel = self.crew.kernel
            who = operator(kernel.settings)
            if user:
                who = Principal(kind="user", id=user, tenant=who.tenant, max_priority=who.max_priority)
            stamped: list[Event] = []
            for _ in range(copies):
                stamped = await kernel.intake.publish(named, who, source=source)
            await self.crew.rest()
            return tuple(stamped)

        return self._ground.give(work)

    def send(self, body: bytes, *, id: str = "", content_type: str = "", **properties: Scalar) -> Done[None]:  # noqa: A002
        """Put a message on the queue as a stranger does who may write to it, and run until nothing is left to do.

        Args:
            body: Its bytes.
            id: Its message id.
            content_type: MIME type of the body.
            properties: Application properties; `__` in a name is a dash.
        """
        named = {name.replace("__", "-"): value for name, value in properties.items()}
        message = Message(id=id, body=body, content_type=content_type, properties=named)

        async def work() -> None:
            await self.crew.kernel.queue.send([message])
            await self.crew.rest()

        return self._ground.give(work)

    def redeliver(self) -> Done[None]:
        """Let every message that ever came from a queue come once more, as a broker may; run until nothing is left."""

        async def work() -> None:
            kernel = self.crew.kernel
            queues = {queue.name: queue for queue in (kernel.queue, kernel.ordered, *kernel.lanes.values())}
            for name, message in tuple(self.trouble.received):
                await queues[name].send([message])
            await self.crew.rest()

        return self._ground.give(work)

    def advance(self, by: str | timedelta | float) -> Done[None]:
        """Let time pass, `"10m"` or a number of seconds, and do all that falls due on the way."""
        seconds = _seconds(by)
        return self._ground.give(lambda: self.crew.rest(for_s=seconds))

    def finish(self, within: str | timedelta | float = "1d") -> Done[None]:
        """Let time pass until every event is finished.

        Raises:
            AssertionError: Something is not, even then; it says what.
        """
        seconds = _seconds(within)

        async def work() -> None:
            if not await self.crew.finish(for_s=seconds):
                left = [record for record in await self._read_records() if "due" in record.raw]
                raise AssertionError(f"after {within} not finished: {left}")

        return self._ground.give(work)

    def replay(self, what: Run | DeadLetter | str) -> Done[None]:
        """Run a dead run again, as a person does with `vextir dead replay`; run until nothing is left to do now.

        Args:
            what: The run, its dead letter, or the id of its driver.

        Raises:
            RunStateError: It is not dead.
        """
        driver, event_id = (what, "") if isinstance(what, str) else (what.driver, "")
        if isinstance(what, Run):
            event_id = what.event.id
        letters = self.dead if not isinstance(what, DeadLetter) else (what,)
        found = [one for one in letters if one.driver == driver and event_id in ("", one.event_id)]
        if not found:
            raise AssertionError(f"{driver} has no dead letter; there are {self.dead or 'none'}")

        async def work() -> None:
            kernel = self.crew.kernel
            await kernel.dead_letters.replay(found[-1].id, operator(kernel.settings))
            await self.crew.rest()

        return self._ground.give(work)

    def cancel(self, event: Event | str, *, reason: str = "") -> Done[None]:
        """Cancel what is left of an event, as a person does with `vextir runs cancel`."""
        event_id = event if isinstance(event, str) else event.id

        async def work() -> None:
            kernel = self.crew.kernel
            await kernel.control.cancel(event_id, operator(kernel.settings), reason=reason)
            await self.crew.rest()

        return self._ground.give(work)

    def restart(self) -> Done[None]:
        """Stop the worker as if its process were killed, and let a new one go on where it stood."""

        async def work() -> None:
            await self.crew.restart()
            await self.crew.rest()

        return self._ground.give(work)

    def torture(
        self,
        *events: Event,
        invariants: "Callable[[OS], object] | None" = None,
        seed: int = 0,
        rounds: int | None = ROUNDS,
    ) -> "Tortured":
        """Play events under everything that may go wrong, each time on an OS like this one: see `torture`."""
        from vextir_os.testing.chamber import endure

        return endure(self.made, events, invariants=invariants, seed=seed, rounds=rounds)

    # What is to go wrong

    def fail(self, driver: str, error: BaseException | type[BaseException], *, times: int | None = 1) -> Script:
        """Let the next calls of a driver raise an error, before its code is entered; `times=None`: all of them."""
        self._check_driver(driver)
        return self.trouble.fail(driver, error, times)

    def delay(self, driver: str, by: str | timedelta | float, *, times: int | None = 1) -> Script:
        """Let the next calls of a driver take longer, in virtual time; its time-out counts it."""
        self._check_driver(driver)
        return self.trouble.delay(driver, by, times)

    def crash_at(self, point: str, *, passage: int = 1, times: int = 1) -> Script:
        """Let the worker die where it next comes to a point; another one goes on, as after `kill -9`.

        Args:
            point: `before` or `after`, and `receive`, `admit`, `driver`, `commit`, `publish`, `settle`, or a call of a
                port, such as `store.create`.
            passage: At which time that it comes there, from 1.
            times: How often.

        Raises:
            UsageError: There is no such point; with the nearest one.
        """
        return self.trouble.crash_at(point, passage=passage, times=times)

    def outage(self, port: Port, *, calls: int = 1, done: bool = False) -> Script:
        """Let the worker's next calls of `store`, `queue` or `blobs` have no answer.

        Args:
            port: Which.
            calls: How many.
            done: Whether what was asked for is done all the same: the answer is lost, not the request.
        """
        return self.trouble.outage(port, calls=calls, done=done)

    # What there is to see

    def run(self, driver: str, event: Event | str = "") -> Run:
        """Return a driver's run: of an event, or the newest.

        Raises:
            AssertionError: There is none; it says which there are.
        """
        self._check_driver(driver)
        event_id = event if isinstance(event, str) else event.id
        found = [run for run in self.runs if run.driver == driver and event_id in ("", run.event.id)]
        if not found:
            of = f" of {event_id}" if event_id else ""
            raise AssertionError(f"{driver} has no run{of}. {self._seen()}")
        return found[-1]

    def output(self, driver: str, event: Event | str = "") -> Any:
        """Return the output of a driver's run: of an event, or the newest.

        Raises:
            AssertionError: It is not done; it says what it is.
        """
        run = self.run(driver, event)
        if run.state != "done":
            raise AssertionError(f"{driver} has no output: {run}")
        return run.output

    def calls(self, driver: str) -> int:
        """Return how often a driver's code was entered."""
        self._check_driver(driver)
        return self.trouble.calls[driver]

    @property
    def records(self) -> tuple[Record, ...]:
        """All records, the oldest first."""
        return self._ground.ask(self._read_records)

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, in the order of their records."""
        return tuple(run for record in self.records for run in record.runs)

    @property
    def outputs(self) -> tuple[Any, ...]:
        """The outputs of all runs that are done."""
        return tuple(run.output for run in self.runs if run.state == "done")

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What policy said: for each record first of processing it, then of what its runs asked for."""
        return tuple(
            one for record in self.records
            for one in (record.decision, *(each for run in record.runs for each in run.decisions))
        )  # fmt: skip

    @property
    def events(self) -> tuple[Event, ...]:
        """All events that came to be recorded, the oldest first."""
        return tuple(record.event for record in self.records)

    @property
    def emitted(self) -> tuple[Event, ...]:
        """The events that drivers have emitted, the oldest first."""
        return tuple(
            event for event in self.events if event.source.startswith("/drivers/") and not is_reserved(event.type)
        )

    @property
    def dead(self) -> tuple[DeadLetter, ...]:
        """All dead letters, the oldest first."""
        return self._ground.ask(self._read_letters)

    @property
    def logs(self) -> Logs:
        """What drivers have logged: by `ctx.log`, and by Python's logging where its level lets it through."""
        self._ground.check()
        return Logs(self._lines)

    @property
    def crashes(self) -> tuple[str, ...]:
        """The points at which workers have died."""
        return tuple(self.trouble.deaths)

    @property
    def kernel(self) -> Kernel:
        """The OS itself, for what the kit has no word for. It runs in another thread: see `do`."""
        return self.crew.kernel

    def do(self, work: Callable[[Kernel], Awaitable[Any]]) -> Done[Any]:
        """Await what a function makes of the kernel, where the OS runs; then run until nothing is left to do now."""

        async def given() -> Any:
            answer = await work(self.crew.kernel)
            await self.crew.rest()
            return answer

        return self._ground.give(given)

    def module(self, name: str) -> Any:
        """Return a module of the project's drivers as the OS uses it, such as `mail.client`, to put a fake into it."""
        return self.crew.registry.module(name)

    def __repr__(self) -> str:
        return f"<OS under test at {self.clock.now:%Y-%m-%d %H:%M:%S}: {len(self.crew.registry.manifests)} drivers>"

    def _next_name(self) -> str:
        self._named += 1
        return f"e-{self._named}"

    def _check_driver(self, driver: str) -> None:
        self.crew.registry.get(driver)

    def _seen(self) -> str:
        runs = "\n".join(f"  {record!r}" for record in self.records)
        return f"There are:\n{runs}" if runs else "No event was published"

    async def _read_records(self) -> tuple[Record, ...]:
        kernel = self.crew.kernel
        raw = [document async for document in _all(kernel, EVENTS)]
        found = []
        for document in raw:
            outputs = {
                driver: jsonio.loads(await encoded_out(document["id"], run["output_ref"], kernel.blobs))
                for driver, run in document["runs"].items()
                if run["output_ref"] is not None
            }
            found.append(record_of(document, outputs))
        return tuple(found)

    async def _read_letters(self) -> tuple[DeadLetter, ...]:
        kernel = self.crew.kernel
        raw = [document async for document in _all(kernel, DEAD_LETTERS)]
        return tuple(letter_of(document, error_of(document)) for document in raw)


async def _all(kernel: Kernel, container: str) -> AsyncIterator[dict[str, Any]]:
    continuation = ""
    while True:
        page = await kernel.store.query(container, limit=1_000, continuation=continuation)
        for item in page.items:
            yield item.document
        continuation = page.continuation
        if not continuation:
            return


def _seconds(by: str | timedelta | float) -> float:
    try:
        return parse_duration(by)
    except ValueError as error:
        raise UsageError(f"time cannot pass by {error}") from None
