"""`vextir dev`: runs the OS of a project, in one process or several, until Ctrl-C or until some events are done."""

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.indexing import fresh_index
from vextir_os.cli.narrator import Narrator, NarratorHandler
from vextir_os.cli.options import Flag, Project, seconds
from vextir_os.cli.project import settings_of
from vextir_os.cli.start import declared_agents, start_lines, warn_of_agents, warn_of_policies
from vextir_os.cli.stopping import end_of_parent, first_of, stop_signals
from vextir_os.cli.text import visible
from vextir_os.errors import ProblemsError, UsageError, VextirError
from vextir_os.kernel import Kernel
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner
from vextir_os.local.supervisor import Supervisor
from vextir_os.policy.model import Bundle
from vextir_os.registry.manifest_json import Index
from vextir_os.settings import STDERR, Settings
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.logs import logged
from vextir_os.telemetry.sharing import COUNTS, shared
from vextir_os.telemetry.traces import traced

if TYPE_CHECKING:
    from vextir_os.api.serve import Address
    from vextir_os.cli.reloading import Tell

_LOG = logging.getLogger("vextir.dev")

Once = Annotated[
    list[Path] | None,
    Parameter(help="Publish the events in these files or folders, run until all is done, stop.", consume_multiple=True),
]
Timeout = Annotated[str, Parameter(help="With --once: how long it may take.")]
Host = Annotated[str | None, Parameter(help="Address of the HTTP API.", show_default=False)]
Port = Annotated[int | None, Parameter(help="Port of the HTTP API; 0 for any free one.", show_default=False)]
Public = Annotated[
    Flag, Parameter(help="Let other machines reach the HTTP API; needs policies that are not for development.")
]
Workers = Annotated[
    int, Parameter(help="Processes that run events. More than one lets drivers that compute use several cores.")
]
NoReload = Annotated[
    Flag, Parameter(name="--no-reload", help="Do not take changes of drivers and policies while the OS runs.")
]
AsWorker = Annotated[Flag, Parameter(show=False)]

MOST_WORKERS = 64


def dev(
    *, once: Once = None, timeout: Timeout = "60s", host: Host = None, port: Port = None, public: Public = False,
    workers: Workers = 1, no_reload: NoReload = False, project: Project = None, as_worker: AsWorker = False,
) -> int:  # fmt: skip
    """Run the OS: workers, sweep and HTTP API, until Ctrl-C. With --once, run some events and stop."""
    _check_workers(workers, once)
    if port is not None and not 0 <= port <= 65_535:
        raise UsageError(f"--port {port} is no port", hint="Use 0 to 65535; 0 for any free one")
    timeout_s = seconds(timeout, "--timeout")
    settings = settings_of(project, host=host, port=port)
    index, bundle = load_parts(settings)
    if once is not None:
        return run(_once(settings, index, bundle, once, timeout_s))
    if as_worker:
        return run(_work(settings, index, bundle, public=public, reloads=not no_reload))
    return run(_serve(settings, index, bundle, public=public, workers=workers, reloads=not no_reload))


def _check_workers(workers: int, once: list[Path] | None) -> None:
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"--workers {workers} is no number of processes", hint=f"Use 1 to {MOST_WORKERS}")
    if workers > 1 and once is not None:
        raise UsageError("--once runs its events in this process", hint="Leave --workers out")
    if workers > 1 and sys.platform == "win32":
        raise UsageError("--workers needs signals that Windows does not have", hint="Leave it out")


def load_parts(settings: Settings) -> tuple[Index, Bundle]:
    """Return the drivers and the policies; the driver index is built anew when it is missing or stale.

    Raises:
        ProblemsError: All problems of all drivers and of all policies, together.
    """
    from vextir_os.policy.loader import load_policies

    problems: list[VextirError] = []
    index, bundle = Index(), Bundle()
    try:
        index = fresh_index(settings)
    except VextirError as error:
        problems.append(error)
    try:
        bundle = load_policies(settings.root / "policies")
    except VextirError as error:
        problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ProblemsError([one for error in problems for one in getattr(error, "problems", (error,))])
    return index, bundle


@contextlib.asynccontextmanager
async def _kernel(settings: Settings, index: Index, bundle: Bundle) -> AsyncIterator[Kernel]:
    """Open the OS, with its log and its traces where they are to be."""
    from vextir_os.bootstrap import open_kernel
    from vextir_os.policy.engine import PolicyEngine
    from vextir_os.registry.registry import Registry

    registry = Registry(index.manifests, root=settings.root)
    with traced(settings) as spans:
        async with open_kernel(settings, registry=registry, policy=PolicyEngine(bundle), spans=spans) as kernel:
            with logged(settings, kernel.observers, kernel.clock, spans):
                yield kernel


async def _once(settings: Settings, index: Index, bundle: Bundle, paths: list[Path], timeout_s: float) -> int:
    from vextir_os.cli.once import run_once

    to = screen.stderr()
    warn_of_policies(to, bundle)
    warn_of_agents(to, index)
    narrator = Narrator(to)
    try:
        with _logged_by(narrator, settings):
            async with _kernel(settings, index, bundle) as kernel:
                return await run_once(kernel, paths, timeout_s)
    finally:
        narrator.close()


async def _work(settings: Settings, index: Index, bundle: Bundle, *, public: bool, reloads: bool) -> int:
    """Be one of several worker processes: no HTTP, no start lines, and the end of the first process ends this one."""
    narrator = Narrator(screen.stderr())
    try:
        with stop_signals() as stopped, end_of_parent(stopped), _logged_by(narrator, settings):
            async with _kernel(settings, index, bundle) as kernel:
                if settings.log != STDERR:
                    kernel.observers.add(narrator)
                counting = Counting(kernel.clock)
                kernel.observers.add(counting)
                async with (
                    shared(settings.data_dir / COUNTS, kernel.worker, counting.counts),
                    Runner(kernel) as runner,
                    _reloading(kernel, index, _say_nothing, builds=False, reloads=reloads, public=public),
                ):
                    await first_of(asyncio.ensure_future(runner.wait()), stopped)
    finally:
        narrator.close()
    return Exit.DONE


def _at_work(kernel: Kernel, workers: int, *, public: bool, reloads: bool) -> Runner | Supervisor:
    if workers == 1:
        return Runner(kernel)
    # -P: a module in the project's folder must not stand in for one of ours.
    command = [
        sys.executable,
        "-P",
        "-m",
        "vextir_os.cli",
        "dev",
        "--as-worker",
        "--project",
        str(kernel.settings.root),
        *([] if reloads else ["--no-reload"]),
        *(["--host", kernel.settings.host, "--public"] if public else []),
    ]
    return Supervisor(kernel, command, workers)


async def _serve(settings: Settings, index: Index, bundle: Bundle, *, public: bool, workers: int, reloads: bool) -> int:
    to = screen.stderr()
    narrator = Narrator(to)
    tell = partial(_say_reload, narrator, settings)
    try:
        with stop_signals() as stopped, _logged_by(narrator, settings):
            async with _kernel(settings, index, bundle) as kernel:
                if settings.log != STDERR:
                    kernel.observers.add(narrator)
                async with (
                    _at_work(kernel, workers, public=public, reloads=reloads) as working,
                    _served(kernel, public=public) as address,
                    _reloading(kernel, index, tell, builds=True, reloads=reloads, public=public),
                ):
                    _say_ready(to, settings, index, bundle, address.url)
                    await first_of(asyncio.ensure_future(working.wait()), stopped)
                    if settings.log == STDERR:
                        _LOG.info("stopping")
                    else:
                        narrator.tell([[screen.Span("stopping: what runs may end, for up to 20 s", "dim")]])
    finally:
        narrator.close()
    return Exit.INTERRUPTED if stopped.result() == signal.SIGINT else Exit.DONE


def _say_ready(to: screen.Screen, settings: Settings, index: Index, bundle: Bundle, url: str) -> None:
    """Say what runs and whether anything is checked: to a person, or in the log that has stderr for itself."""
    if settings.log == STDERR and not to.terminal:
        fields = {"url": url, "drivers": len(index.manifests), "policies": len(bundle.policies)}
        _LOG.info("ready", extra={"vextir": {"fields": fields | {"development_policies": bundle.development}}})
        agents = declared_agents(index)
        if agents:
            _LOG.warning("declared agents are not run", extra={"vextir": {"fields": {"agents": agents}}})
        return
    to.write(*start_lines(to, settings, index, bundle, url))
    warn_of_policies(to, bundle)
    warn_of_agents(to, index)


@contextlib.asynccontextmanager
async def _reloading(
    kernel: Kernel, index: Index, tell: "Tell", *, builds: bool, reloads: bool, public: bool
) -> AsyncIterator[None]:
    """Take changes of drivers and policies while the body runs, if that is wanted."""
    if not reloads:
        yield
        return
    from vextir_os.api.serve import check_bind
    from vextir_os.cli.reloading import reloading

    def allow(bundle: Bundle) -> None:
        # What other machines reach never gets policies that allow everything.
        check_bind(kernel.settings.host, public=public, development=bundle.development)

    async with reloading(kernel, index, tell, builds=builds, allow=allow):
        yield


def _say_reload(narrator: Narrator, settings: Settings, what: str, lines: Sequence[str], good: bool) -> None:
    if settings.log == STDERR:
        fields = {"problems": [visible(line) for line in lines]} if lines else {}
        _LOG.log(logging.INFO if good else logging.WARNING, "%s", what, extra={"vextir": {"fields": fields}})
        return
    first = [screen.Span(visible(what), "good" if good else "warn")]
    narrator.tell([first, *([screen.Span(visible(line))] for line in lines)])


def _say_nothing(_what: str, _lines: Sequence[str], _good: bool) -> None:
    """The first process has told of it: it looks at the same files."""


@contextlib.asynccontextmanager
async def _served(kernel: Kernel, *, public: bool) -> AsyncIterator["Address"]:
    from vextir_os.api.app import build_app
    from vextir_os.api.serve import check_bind, serve
    from vextir_os.keys import api_key

    settings = kernel.settings
    check_bind(settings.host, public=public, development=kernel.policy.bundle.development)
    app = build_app(kernel, key=api_key(settings.data_dir), hosts=_names(settings.host) if public else ())
    development = kernel.policy.bundle.development
    async with serve(app, host=settings.host, port=settings.port, public=public, development=development) as address:
        yield address


def _names(host: str) -> list[str]:
    """Return under which names other machines reach this one: the address it serves, or its name when it serves all."""
    if host == "localhost":
        return []
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        return [socket.gethostname()]
    return [f"[{host}]" if address.version == 6 else host]


@contextlib.contextmanager
def _logged_by(narrator: Narrator, settings: Settings) -> Iterator[None]:
    # All of Python's log: without a handler it would write what comes from outside to the terminal as it is.
    handler = logging.NullHandler() if settings.log == STDERR else NarratorHandler(narrator)
    log = logging.getLogger()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
