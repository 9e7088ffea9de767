"""`@driver`: declares a function or a class as a driver. What can be checked without the other drivers is checked here.

What is declared stays what it was and can be called in tests; its manifest and its binding hang on it as attributes.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import FrameType, FunctionType
from typing import Any, Literal, Never, TypeVar

from vextir_os.driverkit.binding import bind
from vextir_os.driverkit.checks import Problem, manifest_problems
from vextir_os.driverkit.classes import HANDLE, class_problems, is_class, kind_of
from vextir_os.driverkit.durations import parse_duration, parse_size
from vextir_os.driverkit.flow import read_flow
from vextir_os.driverkit.manifest import Delivery, DriverKind, Isolation, Manifest, OnPoison, Retry
from vextir_os.errors import Kind, ManifestError, ManifestProblemsError, did_you_mean

MANIFEST = "__vextir_driver__"
"""Attribute of a driver that holds its `Manifest`."""

BINDING = "__vextir_binding__"
"""Attribute of a driver that holds its `Binding`: of the function, or of the class's `handle`."""

Function = TypeVar("Function", bound=Callable[..., Any])


def driver(
    id: str = "",  # noqa: A002  (the manifest's own word)
    *,
    kind: DriverKind | None = None,
    capabilities: Sequence[str] = (),
    permissions: Sequence[str] = (),
    timeout: str | float | timedelta = "30s",
    heartbeat: str | float | timedelta | None = None,
    memory: str | int | None = None,
    cpu: str | float | timedelta | None = None,
    processes: int = 0,
    env: Sequence[str] = (),
    retry: Retry = Retry(),  # noqa: B008  (a frozen value)
    errors: Mapping[str, Kind] | None = None,
    isolation: Isolation = "inline",
    delivery: Delivery = "default",
    on_poison: OnPoison = "skip",
    concurrency: int | None = None,
    concurrency_key: str = "",
    throttle: str | None = None,
    throttle_key: str = "",
    debounce: str | float | timedelta | None = None,
    debounce_key: str = "",
    debounce_max: str | float | timedelta | None = None,
    singleton: Literal["skip", "cancel_running"] | None = None,
    singleton_key: str = "",
    version: str = "1",
    weight: int | None = None,
    description: str = "",
    **unknown: Never,
) -> Callable[[Function], Function]:
    """Declare an `async def` function, or a class with `async def handle(self, …)`, as a driver.

    With isolation `thread` or `process` a plain `def` may block as well.

    Its parameters are the event (`event: Event`), the context (`ctx: Context`) and the event's data (`data: AnyModel`,
    validated and published as JSON Schema), each optional, in any order. It returns nothing, an Event, a list of
    Events, an output (JSON, a pydantic model, a dataclass) or a `Result`. Of a class each process has one instance; its
    optional `start`, `stop` and `health` are those of `AgentDriver`, `ToolDriver`, `IODriver` and `UIDriver`.

    Args:
        id: Dotted lower-case name, unique in the project, at most 64 characters: `research.agent`.
        kind: `agent`, `tool`, `io` or `ui`; by default that of the base class, else `tool`.
        capabilities: Event types or patterns that it handles; 1 to 32, such as `github.issue.*`.
        permissions: `verb:resource` globs of what it may ever use, such as `emit:research.*`.
        timeout: Longest turn of one run: "500ms", "30s", "5m", "1h", seconds or a timedelta; at most one hour.
        heartbeat: How long a turn may go on without `ctx.heartbeat()`; then it is ended as by its time-out.
        memory: Memory of its process and all below it, "512MB" or bytes; kept and shown, not enforced for `inline`
            and `thread`.
        cpu: CPU time of one turn, "10s"; for isolation `process`, as the next two.
        processes: Further processes that a turn may have at once; whatever is left at its end is ended.
        env: Environment variables that its process is given; no secrets.
        retry: How often and how patiently a failed run is tried again.
        errors: What the exceptions of its libraries mean, by the name of their class, alone or behind its package:
            `{"KeyError": "invalid", "openai.RateLimitError": "throttled"}`.
        isolation: `inline`: on the event loop. `thread`: on a thread, where blocking calls hold nobody up. `process`:
            in a process of its own, without the OS's secrets, under limits that end it. See docs/guides/isolation.md.
        delivery: `idempotent` promises that running twice does no harm, and saves a write per event.
        concurrency: Runs at once over all workers; with `concurrency_key`, such as `data.customer`, for each value.
        concurrency_key: A path into the event's data, or an attribute such as `subject`; the same for the other keys.
        throttle: Starts in any period, "100/m" or "20/30s"; later ones wait. With `throttle_key`, for each value.
        throttle_key: See `concurrency_key`.
        debounce: Of events that follow one another within this time the last one runs, the others end as cancelled.
        debounce_key: See `concurrency_key`.
        debounce_max: The last one runs at most this long after the first; by default ten times `debounce`.
        singleton: While an event runs, `skip` drops a new one, `cancel_running` cancels the running one.
        singleton_key: See `concurrency_key`.
        version: The driver's own version, shown and recorded. Several may be installed beside each other.
        weight: Which part of 100 of the new events this version gets; by default what the other versions leave.
        description: One line; by default the first line of the docstring.
        unknown: Refused, with the nearest option.

    Raises:
        ManifestError: One thing is wrong; the message names file, line and what to do.
        ManifestProblemsError: Several things are wrong; all of them.
    """
    frame = inspect.currentframe()
    caller = frame.f_back if frame else None
    if not isinstance(id, str):
        raise ManifestError("@driver stands without an id", hint=_USAGE, where=_place(id, caller))

    def declare(function: Function) -> Function:
        where = _place(function, caller)
        problems = [*map(_unknown_option, unknown), *_form_problems(function, kind, isolation)]
        manifest = Manifest(
            id=id,
            kind=kind_of(function, kind),
            capabilities=_listed(capabilities),
            permissions=_listed(permissions),
            timeout_s=_parsed("timeout", parse_duration, timeout, 30.0, problems),
            heartbeat_s=heartbeat
            if heartbeat is None
            else _parsed("heartbeat", parse_duration, heartbeat, None, problems),
            memory_bytes=memory if memory is None else _parsed("memory", parse_size, memory, None, problems),
            cpu_s=cpu if cpu is None else _parsed("cpu", parse_duration, cpu, None, problems),
            processes=processes,
            env=_listed(env),
            retry=retry,
            errors={} if errors is None else errors,
            isolation=isolation,
            delivery=delivery,
            on_poison=on_poison,
            flow=read_flow(
                concurrency=concurrency,
                concurrency_key=concurrency_key,
                throttle=throttle,
                throttle_key=throttle_key,
                debounce=debounce,
                debounce_key=debounce_key,
                debounce_max=debounce_max,
                singleton=singleton,
                singleton_key=singleton_key,
                problems=problems,
            ),
            version=version,
            weight=weight,
            description=description or _first_line(function),
            form="class" if is_class(function) else "function",
            module=getattr(function, "__module__", ""),
            attribute=getattr(function, "__name__", ""),
            entry=f"{where.rpartition(':')[0]}:{getattr(function, '__name__', '')}",
            line=int(where.rpartition(":")[2] or 0),
        )
        problems += manifest_problems(manifest)
        if problems:
            found = [ManifestError(f"driver `{id}`: {what}", hint=hint, where=where) for what, hint in problems]
            raise found[0] if len(found) == 1 else ManifestProblemsError(found)
        method = is_class(function)
        called = getattr(function, HANDLE) if method else function
        binding = bind(called, driver=id, where=where, names=caller.f_locals if caller else {}, method=method)
        setattr(function, MANIFEST, replace(manifest, schema=binding.schema))
        setattr(function, BINDING, binding)
        return function

    return declare


_USAGE = 'Write @driver("mail.reader", capabilities=["mail.received"]) on an async function or a class'


def _place(target: Any, caller: FrameType | None) -> str:
    """Return `file:line` of a function's declaration; of the `@driver` line for anything else."""
    code = getattr(target, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    return f"{caller.f_code.co_filename}:{caller.f_lineno}" if caller else ""


def _unknown_option(option: str) -> Problem:
    options = [name for name in inspect.signature(driver).parameters if name != "unknown"]
    return f"unknown option `{option}`", did_you_mean(option, options) or f"The options are: {', '.join(options)}"


def _form_problems(function: Any, kind: DriverKind | None, isolation: str) -> list[Problem]:
    """Return what is wrong with the thing under the decorator: async functions and classes, declared once."""
    if not isinstance(function, FunctionType) and not is_class(function):
        what = f"a {type(function).__name__} is no driver"
        return [(what, "Put @driver on an async function, or on a class with `handle`")]
    name = f"`{function.__name__}`"
    if MANIFEST in vars(function):
        what = f"{name} is declared as driver `{vars(function)[MANIFEST].id}` already"
        return [(what, "Use one @driver, with all capabilities")]
    if is_class(function):
        return class_problems(function, kind=kind, isolation=isolation)
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return [(f"{name} is a generator", "Return a list of events instead of yielding them")]
    if isolation == "inline" and not inspect.iscoroutinefunction(function):
        what = f"{name} is a plain function, and `inline` drivers share one event loop"
        return [(what, f"Write `async def {function.__name__}`")]
    return []


def _listed(values: Any) -> Any:
    # A lone text is left as it is, for the checks to refuse: as a sequence it would become its characters.
    return tuple(values) if isinstance(values, (list, tuple)) else values


def _parsed(option: str, parse: Callable[[object], Any], value: object, default: Any, problems: list[Problem]) -> Any:
    try:
        return parse(value)
    except ValueError as error:
        problems.append((f"{option} {error}", ""))
        return default


def _first_line(function: Any) -> str:
    # Of a class its own: Python hands down the text of a base class.
    own = function.__doc__ if is_class(function) else inspect.getdoc(function)
    lines = inspect.cleandoc(own or "").splitlines()
    return lines[0].strip()[:1_000] if lines else ""
