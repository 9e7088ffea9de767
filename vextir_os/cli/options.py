"""Options that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vextir_os.driverkit.durations import parse_duration
from vextir_os.errors import UsageError, did_you_mean, shown

Format = Literal["table", "json", "jsonl", "yaml"]

Project = Annotated[
    Path | None,
    Parameter(name="--project", help="The project folder; by default the nearest one upward.", show_default=False),
]
Output = Annotated[
    Format, Parameter(name=["--output", "-o"], help="Form of the data: table, json, jsonl or yaml.", show_choices=False)
]
Flag = Annotated[bool, Parameter(negative="", show_default=False)]

Words = Annotated[str, Parameter(show=False)]


def no_words(words: tuple[str, ...], known: Sequence[str]) -> None:
    """Say that a command of commands has none of this name. Raises `UsageError` when there is a word."""
    if words:
        hint = did_you_mean(words[0], known) or f"There are: {', '.join(known)}"
        raise UsageError(f"unknown command {shown(words[0])}", hint=hint)


def seconds(text: str, option: str) -> float:
    """Return a duration such as `60s` in seconds. Raises `UsageError`."""
    try:
        return parse_duration(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
