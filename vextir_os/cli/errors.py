"""How an error looks on the command line, and the exit code that it ends with.

error VX206: unknown key `stats`
  place: filter, character 1
  next:  Did you mean `status`?
"""

import traceback
from collections.abc import Iterator, Mapping
from enum import IntEnum

from vextir_os.cli.screen import Screen
from vextir_os.cli.text import visible, visible_lines
from vextir_os.errors import (
    FilterError,
    NotFoundError,
    ProblemsError,
    UnknownDriverError,
    UnknownSettingError,
    UsageError,
    VextirError,
    WaitTimeoutError,
)


class Exit(IntEnum):
    """What a command ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    DENIED = 4
    WAITS = 5
    TIMEOUT = 6
    INTERRUPTED = 130

    @property
    def word(self) -> str:
        """What help says for it: `not found`."""
        return self.name.lower().replace("_", " ")


_CODES: Mapping[type[VextirError], Exit] = {
    UsageError: Exit.USAGE,
    FilterError: Exit.USAGE,
    NotFoundError: Exit.NOT_FOUND,
    UnknownDriverError: Exit.NOT_FOUND,
    UnknownSettingError: Exit.NOT_FOUND,
    WaitTimeoutError: Exit.TIMEOUT,
}


def exit_code(error: BaseException) -> Exit:
    """Return the exit code for an error that ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return code
    if isinstance(error, VextirError) and error.kind == "permission":
        return Exit.DENIED
    return Exit.FAILED


def report(screen: Screen, error: BaseException) -> None:
    """Say what ended a command. An error that we did not raise on purpose is a bug, and comes with its traceback."""
    if isinstance(error, VextirError):
        screen.write(*error_lines(screen, error))
        return
    screen.write(
        *visible_lines("".join(traceback.format_exception(error))),
        f"{_head(screen, VextirError.code)} {type(error).__name__}: {visible(str(error))}",
        "  next:  This is a bug in Vextir OS. Please report it with the lines above",
    )


def error_lines(screen: Screen, error: VextirError) -> Iterator[str]:
    """Yield the lines of an error: what, place, why, what to do next; of several problems, each."""
    yield f"{_head(screen, error.code)} {visible(error.what)}"
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            place = f"{visible(problem.where)}: " if problem.where else ""
            yield f"  {place}{visible(problem.what)}"
            if problem.hint:
                yield f"    {visible(problem.hint)}"
    if error.where:
        yield f"  place: {visible(error.where)}"
    why = str(error.__cause__) if error.__cause__ is not None else ""
    if why and why not in error.what:
        yield f"  why:   {visible(why)}"
    if error.hint:
        yield f"  next:  {visible(error.hint)}"


def warn(screen: Screen, text: str) -> None:
    """Say something that a person should know and that stops nothing."""
    screen.write(f"{screen.paint('note:', 'warn')} {visible(text)}")


def _head(screen: Screen, code: str) -> str:
    return screen.paint(f"error {code}:", "error")
