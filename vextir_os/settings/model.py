"""All settings: each with its default, what it takes, what it does and what it risks. `docs/settings.md` shows them.

A setting is one field of `Settings`. Its default is right on a laptop.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from vextir_os.events.limits import EVENTS_PER_RUN
from vextir_os.settings.kinds import (
    FOLDER,
    HOST,
    LOG,
    PATTERNS,
    SIZE,
    STDERR,
    TENANT,
    TEXTS,
    URL,
    USER,
    Meaning,
    one_of,
    seconds,
    setting,
    whole,
)

__all__ = ["DEFAULTS", "MEANINGS", "STDERR", "Settings"]

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process runs the OS. `root` is the project: `drivers/`, `policies/`; what the others are, they say."""

    root: Path
    data_dir: Path = field(
        metadata=setting(
            FOLDER,
            "database and keys; made at the first start, for its owner only",
            risks="on a network file system the database is damaged; in a folder of others they can replace it",
            unset="`.vextir` in the project",
        )
    )
    tenant: str = field(
        default="local",
        metadata=setting(
            TENANT,
            "the tenant that queue and HTTP belong to",
            risks="events of the tenant before are not seen any more under another one",
        ),
    )
    user: str = field(
        default="operator", metadata=setting(USER, "whom the command line and the HTTP key act as, also in policies")
    )
    synchronous: Literal["FULL", "NORMAL"] = field(
        default="FULL",
        metadata=setting(
            one_of("FULL", "NORMAL"),
            "what an acknowledged write waits for: `FULL`, that it survives a power failure",
            risks="`NORMAL` loses the last moments before a power failure, and nothing when a process is killed",
        ),
    )
    concurrency: int = field(
        default=256, metadata=setting(whole(1, 10_000), "events that are processed at once", risks="memory")
    )
    high_concurrency: int = field(
        default=64,
        metadata=setting(
            whole(1, 10_000),
            "events with a priority of 7 and more that are processed at once, beside the others",
            risks="memory",
        ),
    )
    slow_concurrency: int = field(
        default=100,
        metadata=setting(
            whole(1, 10_000),
            "runs of drivers with a `timeout` over 30 s that are executed at once, beside the others",
            risks="memory",
        ),
    )
    max_priority: int = field(
        default=6,
        metadata=setting(
            whole(0, 9),
            "highest priority that command line and HTTP key may ask for; what asks for more gets this. From 7 on an "
            "event goes by the lane of its own",
            risks="from 7 on, a sender can crowd the lane for urgent events",
        ),
    )
    lock_s: float = field(
        default=60.0,
        metadata=setting(
            seconds(1, 300),
            "seconds after which a message is handed out again whose worker does not settle it; of a worker whose "
            "process is gone, at once",
            risks="a short one hands out again what a busy machine still works on; a long one delays what hangs",
        ),
    )
    sweep_s: float = field(
        default=10.0,
        metadata=setting(
            seconds(0.05, 3_600),
            "seconds between two looks for what was left behind",
            risks="a long one delays retries and what a crash left",
        ),
    )
    retention_s: int = field(
        default=30 * _DAY_S,
        metadata=setting(
            whole(60, 10 * 365 * _DAY_S),
            "seconds for which a finished record is kept, with its blobs; by default 30 days",
            risks="what is gone cannot be looked at, exported or replayed",
        ),
    )
    deadletters_s: int = field(
        default=90 * _DAY_S,
        metadata=setting(
            whole(60, 10 * 365 * _DAY_S),
            "seconds for which a dead letter is kept; by default 90 days",
            risks="one that nobody has dealt with is gone then",
        ),
    )
    dedupe_s: int = field(
        default=90 * _DAY_S,
        metadata=setting(
            whole(0, 10 * 365 * _DAY_S),
            "seconds after its end for which an event is known by its id, also once its record is gone; by default "
            "90 days",
            risks="an event that is sent once more after that time runs once more; a long one keeps some 300 bytes for "
            "each event",
        ),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=setting(
            HOST, "address of the HTTP API", risks="any but a loopback address is reached by others; needs `--public`"
        ),
    )
    port: int = field(default=8300, metadata=setting(whole(0, 65_535), "its port; 0 for any free one"))
    packs: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            TEXTS,
            "[packs](guides/packs.md) whose drivers run here, by the names of their distributions: `acme-drivers`",
            risks="their code runs with what this process may do",
        ),
    )
    trusted_sources: tuple[str, ...] = field(
        default=("/cli", "/api", "/bus", "/drivers/*"),
        metadata=setting(
            TEXTS,
            "sources that somebody vouches for, with `*` for any rest; events of others get the label `untrusted`",
            risks="what comes from a source that is trusted wrongly is not held back by policies about `untrusted`",
        ),
    )
    max_queue_depth: int = field(
        default=200_000,
        metadata=setting(
            whole(0, 1_000_000),
            "events that wait on the queues; over it nothing is let in from outside: "
            "[back-pressure](guides/failures.md#back-pressure). 0 is no bound",
            risks="without a bound a flood fills the disk",
        ),
    )
    min_free_disk: int = field(
        default=200_000_000,
        metadata=setting(
            SIZE,
            "room that stays free on the disk: under it nothing is let in from outside",
            risks="on a full disk what runs cannot be committed",
        ),
    )
    max_database: int = field(
        default=0, metadata=setting(SIZE, "size of the database; over it nothing is let in from outside")
    )
    metrics: Literal["key", "open"] = field(
        default="key",
        metadata=setting(
            one_of("key", "open"),
            "who may read `/metrics`: who has the key, or with `open` programs of this machine without it too, as long "
            "as other machines are not served",
            risks="`open` tells every user of the machine names of drivers and types, and counts",
        ),
    )
    max_depth: int = field(
        default=200,
        metadata=setting(
            whole(1, 10_000), "events in a row, each caused by the one before; see [storms](guides/failures.md#storms)"
        ),
    )
    max_loops: int = field(
        default=50,
        metadata=setting(
            whole(1, 10_000), "times that one driver emits for events of one type in a row of causes", risks="storms"
        ),
    )
    max_fan_out: int = field(
        default=EVENTS_PER_RUN, metadata=setting(whole(1, EVENTS_PER_RUN), "events that one run emits")
    )
    max_flow: int = field(
        default=1_000_000,
        metadata=setting(whole(1, 10**12 - 1), "events that follow from one first event", risks="storms"),
    )
    log: str = field(
        default="",
        metadata=setting(
            LOG,
            "where log lines go; see [observing](guides/observing.md)",
            risks="a file grows until something rotates it",
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="info",
        metadata=setting(one_of("debug", "info", "warning", "error"), "the lowest level of our own lines"),
    )
    otlp_endpoint: str = field(
        default="",
        metadata=setting(
            URL,
            "collector of traces, `http://localhost:4318`; `OTEL_EXPORTER_OTLP_ENDPOINT` does as well",
            risks="names of drivers and types, ids and errors leave the machine",
        ),
    )
    best_of: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            PATTERNS,
            "event types of which only the most specific driver runs; of all others every match",
            risks="another driver that matches is passed over silently",
        ),
    )


MEANINGS: Mapping[str, Meaning] = {one.name: one.metadata["meaning"] for one in fields(Settings) if one.metadata}
"""What is said of each setting, in the order of the page."""

DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Settings) if one.default is not MISSING}
"""The default of each setting that has the same one in every project."""
