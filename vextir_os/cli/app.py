"""All commands in one list, and how a run of the command line ends: its exit code, and errors as people read them."""

import os
import re
import sys
from collections.abc import Sequence
from typing import TextIO

from cyclopts import App, CycloptsError, Parameter

import vextir_os
from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, exit_code, report
from vextir_os.errors import UsageError

COMMANDS = {
    "new": ("new:app", "Make a project; `new driver NAME` adds a driver to one."),
    "dev": ("dev:dev", "Run the OS until Ctrl-C; with --once, run the events of some files."),
    "check": ("check:check", "Say all that is wrong with drivers, policies, plans and UI apps."),
    "send": ("send:send", "Publish an event, or many."),
    "events": ("events:app", "List the newest events; `events show ID` shows one."),
    "trace": ("trace:trace", "Show what happened with an event, and all that it caused."),
    "runs": ("runs:app", "List the newest runs; show or cancel those of an event."),
    "dead": ("dead:app", "List dead letters; show, replay, discard or group them."),
    "drivers": ("drivers:app", "List the drivers of the project; `drivers show NAME` shows one."),
    "policy": ("policy:app", "List the policies; `policy test` runs the tests beside them."),
    "pause": ("pause:app", "Hold back a driver, a type of events or a tenant; events are taken in."),
    "resume": ("pause:resume_app", "End a pause; what waited goes on."),
    "build": ("drivers:build", "Write the driver index."),
    "config": ("config:app", "Show every setting with its value and where that comes from."),
    "schema": ("schema:app", "Write what events there are, as JSON Schema or AsyncAPI."),
    "explain": ("explain:explain", "Say what an error code means, and what to do."),
    "backup": ("keeping:backup", "Write all data of the project into one file, while it runs."),
    "restore": ("keeping:restore", "Make the data of the project out of a backup."),
    "doctor": ("doctor.command:doctor", "Say what is wrong with machine, project and data, and what to do."),
    "export": ("moving:export", "Write records to stdout, one per line of JSON."),
    "import": ("moving:import_", "Bring in the lines of an export, as history or to be run."),
    "migrate": ("keeping:migrate", "Bring the database up to this release; --dry-run tries it on a copy."),
}
"""Where each command is, and what the list of commands says of it; its module is imported when the command is run."""

EDITOR = ":editor"
"""Value of an option that opens the person's editor, where it is given without one."""

_NEGATED = re.compile(r"-[A-Za-z_][A-Za-z0-9_.-]*(:|[<>]=?)")


def build_app() -> App:
    """Return the commands. Help lists them in this order."""
    app = App(
        name="vextir",
        version=vextir_os.__version__,
        help="Vextir OS: events come in, policy decides, drivers run, one record keeps it all.",
        help_epilogue="Exit codes: " + ", ".join(f"{code} {code.word}" for code in Exit),
        help_format="plaintext",
        default_parameter=Parameter(negative=""),
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for order, (name, (place, summary)) in enumerate(COMMANDS.items()):
        app.command(f"vextir_os.cli.{place}", name=name, help=summary, sort_key=order)
    return app


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line and return its exit code. Never raises."""
    _write_utf8(sys.stdout)
    _write_utf8(sys.stderr)
    try:
        result = build_app()(_positional(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output, `head` for one, has what it wanted. Python flushes once more at its end: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except CycloptsError as error:
        report(screen.stderr(), UsageError(_one_line(error), hint=f"Run: vextir {_command(arguments)}--help"))
        return Exit.USAGE
    except Exception as error:  # noqa: BLE001 - the edge of the program: every error ends as a message and a code
        report(screen.stderr(), error)
        return exit_code(error)
    return result if isinstance(result, int) else Exit.DONE


def _positional(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as options and values: a term such as `-status:ok` is no option, `--edit` alone has a value.

    The mark is a space, which a filter passes over.
    """
    if arguments[:2] == ["dead", "replay"] and "--edit" in arguments:
        place = arguments.index("--edit")
        value = arguments[place + 1] if place + 1 < len(arguments) else ""
        alone = not value or (value.startswith("-") and value != "-")
        following = arguments[place + (1 if alone else 2) :]
        return [*arguments[:place], f"--edit={EDITOR if alone else value}", *following]
    if arguments[:1] not in (["events"], ["export"]) or arguments[:2] == ["events", "show"]:
        return [*arguments]
    return [f" {argument}" if _NEGATED.match(argument) else argument for argument in arguments]


def _one_line(error: CycloptsError) -> str:
    text = " ".join(str(error).split())
    return text[:1].lower() + text[1:].rstrip(".")


def _command(arguments: Sequence[str]) -> str:
    return f"{arguments[0]} " if arguments and arguments[0] in COMMANDS else ""


def _write_utf8(stream: TextIO) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="backslashreplace")
