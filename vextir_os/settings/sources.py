"""Where settings come from, the later winning: defaults, the project's `vextir.toml`, the environment.

In the file a setting is called `port`, in the environment `VEXTIR_PORT`. What is wrong is collected, never passed over:
also a value in the file that the environment overrides.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vextir_os.errors import (
    InvalidEventError,
    PatternError,
    SettingsError,
    SettingsProblemsError,
    did_you_mean,
    shown,
)
from vextir_os.settings.kinds import HTTP_URL
from vextir_os.settings.model import DEFAULTS, MEANINGS, Settings
from vextir_os.settings.projectfile import NAME, read_file

PREFIX = "VEXTIR_"
DATA_FOLDER = ".vextir"
"""The data directory inside a project, unless the settings name another."""

_TOLD_CHARS = 80
_OTEL = "OTEL_EXPORTER_OTLP_ENDPOINT"
_OTHERS = frozenset({"VEXTIR_SOAK"})


class Origin(NamedTuple):
    """Where a value comes from; `place` is `vextir.toml:3` or `VEXTIR_PORT`, and empty for a default."""

    source: Literal["default", "file", "environment"]
    place: str = ""


DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the sources say.

    Attributes:
        values: Of every setting, and `root`; where a value is wrong, that of the source before it.
        origins: Where each value comes from.
        problems: All that is wrong: that of the file by line, then that of the environment by name.
        wrong: The problem of each setting that has one.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, Origin]
    problems: Sequence[SettingsError]
    wrong: Mapping[str, SettingsError]

    def settings(self) -> Settings:
        """Return the settings. Raises `SettingsProblemsError`: all that is wrong, together."""
        if self.problems:
            raise SettingsProblemsError(self.problems)
        return Settings(**self.values)


def load_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a project folder.

    Args:
        root: The project folder.
        environ: The environment, such as `os.environ`.

    Raises:
        SettingsProblemsError: All that is wrong, together.
    """
    return find_settings(root, environ).settings()


def find_settings(root: Path, environ: Mapping[str, str]) -> Found:
    """Return what file and environment say of every setting, also where something is wrong. Never raises."""
    reading = _Reading(root)
    if HTTP_URL.fullmatch(environ.get(_OTEL, "")):
        # Set for all programs of a machine, it may also name a collector that speaks something else: that is not ours.
        reading.take("otlp_endpoint", environ[_OTEL], Origin("environment", _OTEL), root)
    reading.file()
    reading.environment(environ)
    return Found(values=reading.values, origins=reading.origins, problems=reading.problems, wrong=reading.wrong)


class _Reading:
    """What was found so far."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.values: dict[str, Any] = {"root": root, "data_dir": root / DATA_FOLDER, **DEFAULTS}
        self.origins: dict[str, Origin] = dict.fromkeys(MEANINGS, DEFAULT)
        self.problems: list[SettingsError] = []
        self.wrong: dict[str, SettingsError] = {}

    def file(self) -> None:
        try:
            entries = read_file(self._root)
        except SettingsError as error:
            self.problems.append(error)
            return
        for entry in sorted(entries, key=lambda entry: entry.line):
            place = f"{NAME}:{entry.line}"
            if entry.key not in MEANINGS:
                hint = did_you_mean(entry.key.lower().removeprefix(PREFIX.lower()), MEANINGS) or "Remove it"
                self.problems.append(SettingsError(f"unknown setting {shown(entry.key)}", where=place, hint=hint))
            else:
                self.take(entry.key, entry.value, Origin("file", place), self._root)

    def environment(self, environ: Mapping[str, str]) -> None:
        for spelled, text in sorted(environ.items()):
            if not spelled.startswith(PREFIX) or spelled in _OTHERS:
                continue
            name = spelled.removeprefix(PREFIX).lower()
            if name not in MEANINGS or spelled != variable(name):
                hint = did_you_mean(spelled, map(variable, MEANINGS)) or "Remove it"
                self.problems.append(SettingsError("unknown setting", where=spelled, hint=hint))
            else:
                self.take(name, text, Origin("environment", spelled), Path.cwd())

    def take(self, name: str, value: Any, origin: Origin, base: Path) -> None:
        kind = MEANINGS[name].kind
        try:
            self.values[name] = kind.read(_text(value, many=kind.many), base)
        except (ValueError, InvalidEventError, PatternError) as error:
            told = "its value" if kind.private else _told(value)
            self.wrong[name] = SettingsError(f"{told} is wrong: {error}", where=origin.place)
            self.problems.append(self.wrong[name])
        else:
            self.origins[name] = origin


def variable(name: str) -> str:
    """Return how a setting is called in the environment: `VEXTIR_PORT`."""
    return PREFIX + name.upper()


def known(name: str) -> str | None:
    """Return the setting that a name means, in either of its forms; None when there is none."""
    if name.startswith(PREFIX):
        name = name.removeprefix(PREFIX).lower()
    return name if name in MEANINGS else None


def _told(value: Any) -> str:
    """Return a value as a message shows it: as it is written, cut, on one line."""
    told = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return told if len(told) <= _TOLD_CHARS else f"{told[:_TOLD_CHARS]}…"


def _text(value: Any, *, many: bool) -> str:
    """Return a value of the file as the text that the environment would hold. Raises `ValueError`."""
    if many and isinstance(value, list) and all(isinstance(part, str) and "," not in part for part in value):
        return ",".join(value)
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return str(value)
    raise ValueError("it takes text, or an array of texts without commas" if many else "it takes text or a number")
