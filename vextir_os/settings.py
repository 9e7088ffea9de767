"""Settings: read once from the environment, checked as a whole, handed down as one value.

Every setting has a name in the environment, `VEXTIR_` + its name in capitals, and a default that is right on a laptop.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from vextir_os.errors import InvalidEventError, PatternError, SettingsError, SettingsProblemsError
from vextir_os.events.limits import EVENTS_PER_RUN
from vextir_os.events.names import check_pattern, check_tenant

_DAY_S = 86_400
_PREFIX = "VEXTIR_"
STDERR = "stderr"
"""As the place of the log: the standard error of the process."""
_HTTP_URL = re.compile(r"https?://[!-~]+")
_OTEL = "OTEL_EXPORTER_OTLP_ENDPOINT"
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_OTHERS = frozenset({"VEXTIR_SOAK"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process runs the OS.

    Attributes:
        root: The project: `drivers/`, `policies/`.
        data_dir: Database, keys; made on first start, readable by its owner only.
        tenant: The tenant that the queue and the local API belong to.
        user: Who the local command line and API key act as.
        synchronous: `FULL`: what was acknowledged survives a power loss. `NORMAL`: it survives a crash of the
            process, the last moments before a power loss may be gone.
        concurrency: Events that are processed at once.
        high_concurrency: Events of high priority that are processed at once, beside the others.
        slow_concurrency: Runs of drivers with a time-out over 30 s that are executed at once, beside the others.
        max_priority: Highest priority that the local command line and API key may ask for; from 7 on an event goes
            by the lane of its own.
        lock_s: How long a worker may hold a message before it is handed out again, in seconds.
        sweep_s: Seconds between two sweeps.
        retention_s: How long a finished record is kept, in seconds.
        host: Address of the HTTP API.
        port: Port of the HTTP API; 0 for any free one.
        trusted_sources: Sources that somebody vouches for, with `*` for any rest; events of others are labelled
            `untrusted`.
        max_queue_depth: Events that wait on the queue; over it nothing is let in from outside. 0 is no bound.
        min_free_disk: Bytes that stay free on the disk: under it nothing is let in from outside. 0 is no bound.
        max_database: Bytes of the database; over it nothing is let in from outside. 0 is no bound.
        metrics: Who may read `/metrics`: `key`, who has the key; `open`, programs of this machine without it too, as
            long as other machines are not served.
        max_depth: Events in a row, each caused by the one before, at most.
        max_loops: Times that one driver emits for events of one type in a row of causes, at most.
        max_fan_out: Events that one run emits, at most.
        max_flow: Events that follow from one first event, at most.
        log: Where log lines go: a file, or `stderr`; empty for nowhere.
        log_level: The lowest level of our own lines that is written.
        otlp_endpoint: Collector of traces that speaks OTLP over HTTP; empty for none. `OTEL_EXPORTER_OTLP_ENDPOINT`,
            OpenTelemetry's own name for it, is read as well.
        best_of: Patterns of event types of which only the most specific driver runs; of all others every match.
    """

    root: Path
    data_dir: Path
    tenant: str = "local"
    user: str = "operator"
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    concurrency: int = 256
    high_concurrency: int = 64
    slow_concurrency: int = 100
    max_priority: int = 6
    lock_s: float = 60.0
    sweep_s: float = 10.0
    retention_s: int = 30 * _DAY_S
    host: str = "127.0.0.1"
    port: int = 8300
    trusted_sources: tuple[str, ...] = ("/cli", "/api", "/bus", "/drivers/*")
    max_depth: int = 200
    max_loops: int = 50
    max_fan_out: int = EVENTS_PER_RUN
    max_flow: int = 1_000_000
    best_of: tuple[str, ...] = ()
    max_queue_depth: int = 200_000
    min_free_disk: int = 200_000_000
    max_database: int = 0
    metrics: Literal["key", "open"] = "key"
    log: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str = ""


def load_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings for a project folder.

    Args:
        root: The project folder.
        environ: The environment, such as `os.environ`.

    Raises:
        SettingsProblemsError: All that is wrong, together.
    """
    values: dict[str, Any] = {"root": root, "data_dir": root / ".vextir"}
    problems: list[SettingsError] = []
    if _HTTP_URL.fullmatch(environ.get(_OTEL, "")):
        # Set for all programs of a machine, it may also name a collector that speaks something else: that is not ours.
        values["otlp_endpoint"] = environ[_OTEL]
    for name, text in sorted(environ.items()):
        if not name.startswith(_PREFIX) or name in _OTHERS:
            continue
        setting = name.removeprefix(_PREFIX).lower()
        reader = _READERS.get(setting)
        if reader is None:
            near = get_close_matches(name, [_PREFIX + known.upper() for known in _READERS], 1)
            problems.append(
                SettingsError("unknown setting", where=name, hint=f"Did you mean {near[0]}?" if near else "Remove it")
            )
            continue
        try:
            values[setting] = reader(text)
        except (ValueError, InvalidEventError, PatternError) as error:
            problems.append(SettingsError(f"{text!r} is wrong: {error}", where=name))
    if problems:
        raise SettingsProblemsError(problems)
    return Settings(**values)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"it takes a whole number from {low} to {high}")
        return int(text)

    return read


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,15})(B|KB|MB|GB|TB|)", text.strip().upper(), re.ASCII)
    if not found:
        raise ValueError('it takes a size such as "500MB" or "2GB", or 0')
    return int(found[1]) * _UNITS[found[2]]


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(f"it takes seconds from {low:g} to {high:g}")
        return float(text)

    return read


def _synchronous(text: str) -> str:
    if text.upper() not in {"FULL", "NORMAL"}:
        raise ValueError("it takes FULL or NORMAL")
    return text.upper()


def _log(text: str) -> str:
    return text if text in ("", STDERR) else str(Path(text).expanduser().absolute())


def _url(text: str) -> str:
    if text and not _HTTP_URL.fullmatch(text):
        raise ValueError("it takes an http or https URL")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"it takes {' or '.join(words)}")
        return text.lower()

    return read


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", text):
        raise ValueError("it takes a name of 1 to 64 characters a-z A-Z 0-9 . _ @ -")
    return text


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(check_pattern(part) for part in _list(text))


_READERS: Mapping[str, Callable[[str], Any]] = {
    "data_dir": lambda text: Path(text).expanduser().absolute(),
    "tenant": check_tenant,
    "user": _name,
    "synchronous": _synchronous,
    "concurrency": _whole(1, 10_000),
    "high_concurrency": _whole(1, 10_000),
    "slow_concurrency": _whole(1, 10_000),
    "max_priority": _whole(0, 9),
    "lock_s": _seconds(1, 300),
    "sweep_s": _seconds(0.05, 3_600),
    "retention_s": _whole(60, 10 * 365 * _DAY_S),
    "host": str,
    "port": _whole(0, 65_535),
    "trusted_sources": _list,
    "max_depth": _whole(1, 10_000),
    "max_loops": _whole(1, 10_000),
    "max_fan_out": _whole(1, EVENTS_PER_RUN),
    "max_flow": _whole(1, 10**12 - 1),
    "best_of": _patterns,
    "max_queue_depth": _whole(0, 1_000_000),
    "min_free_disk": _size,
    "max_database": _size,
    "metrics": _one_of("key", "open"),
    "log": _log,
    "otlp_endpoint": _url,
    "log_level": _one_of("debug", "info", "warning", "error"),
}
