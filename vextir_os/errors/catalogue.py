"""What the classes do not say of their codes: a message as it is seen, and what to do. Read by `vextir explain`.

What a code means stands in the docstring of its class, and whether the same call may succeed later in its `kind`.
Every class has its entry here, and every message is provoked by a test. Data only.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """What is told of a code.

    Attributes:
        example: A message, as somebody sees it; empty for the base of an area, which is never raised by itself.
        advice: What to do; sentences.
    """

    example: str
    advice: str


_EACH = "Each problem stands in a line of its own, with its place. Correct them all; nothing was taken over before that"
_NEVER = ""

CATALOGUE: Mapping[str, Entry] = {
    "VX000": Entry(
        "the request failed inside the OS. Look into the log of the OS",
        "Something that nobody thought of: a bug of Vextir OS. The log has its traceback. Please report it",
    ),
    "VX001": Entry(
        "policies/mail.yaml:2:1: the key `id` stands twice; first at policies/mail.yaml:1:1. Keep one of them",
        "Correct the file at the line and column. Quote texts that look like something else: `no`, `1e3`, `2026-01-01`",
    ),
    "VX002": Entry("policies/mail.yaml:2:1: the key `id` stands twice", _EACH),
    "VX200": Entry(_NEVER, "The base of all errors of events: catch it for any of them"),
    "VX201": Entry(
        "event type 'Mail.Received' is not dotted lower case of at most 128 characters. Did you mean 'mail.received'?",
        "Correct the attribute that the message names, and send the event again",
    ),
    "VX202": Entry(
        "nested deeper than 64 levels. Flatten the data",
        "Keep large data elsewhere and put a link into the event; flatten what is nested",
    ),
    "VX203": Entry(
        "not JSON: Expecting property name enclosed in double quotes at line 1 column 26",
        "Send strict JSON in UTF-8: no comments, no NaN, no key twice. On a queue the bytes are kept as a dead letter: "
        "`vextir dead`",
    ),
    "VX204": Entry(
        "event type 'vextir.error' is reserved for the OS. Choose a type outside `vextir.**`",
        "Leave out the field or type that the message names. If it came over a queue, look at who may write to it",
    ),
    "VX205": Entry(
        "pattern 'mail.re*' is not a dotted lower-case type with `*` or `**` for whole segments",
        "`*` stands for one whole segment, `**` for any number of them: `mail.*`, `github.**`",
    ),
    "VX206": Entry(
        "filter, character 1: unknown key `stats`. Did you mean `status`?",
        "Correct the filter where the message points; docs/guides/cli.md lists the terms",
    ),
    "VX207": Entry("event 1: type is a int, not text", f"{_EACH}: a batch is accepted as a whole or not at all"),
    "VX208": Entry(
        "there is no event bus in this context. Run inside the OS, or within `with use_bus(EventBus()):`",
        "Emit while the OS runs; read a stream inside `async with bus.stream(...)`",
    ),
    "VX209": Entry(
        "event 0: rerun is written by the OS alone, and this event carries it. Leave rerun out",
        "As VX204, for one event or more of a batch; nothing of the batch was accepted",
    ),
    "VX300": Entry(_NEVER, "The base of all errors of policies: catch it for any of them"),
    "VX301": Entry(
        "policies/mail.yaml:3:13: unknown effect `alow`. Did you mean `allow`?",
        "Correct the file at the line and column. As long as one policy is wrong, none of the new ones is used",
    ),
    "VX302": Entry("policies/mail.yaml:3:13: unknown effect `alow`. Did you mean `allow`?", _EACH),
    "VX303": Entry(
        "user:ann may not publish 'order.placed': no policy allows `publish:order.placed` for user:ann",
        "Whoever keeps the policies may allow the action that the message names. Events that were denied are not tried "
        "again; send them anew",
    ),
    "VX304": Entry(
        "unknown verb `tol` in `tol:mail/send`. Did you mean `tool`?",
        "Write permissions and the actions of policies as `verb:resource`: `emit:order.*`, `tool:mail/send`",
    ),
    "VX305": Entry(
        "line 1 column 1: unknown function `lenn`. Did you mean `len`?",
        "Correct the condition at the line and column, which count from its own beginning. docs/guides/conditions.md "
        "has the whole language. Where it cannot be answered on an event's data, it grants nothing, and a denial holds",
    ),
    "VX400": Entry(
        "division by zero",
        "The driver raised something that is not ours: a bug, as far as the OS can tell, tried three times in all. The "
        "traceback stands on the run: `vextir runs show EVENT`. Say with `errors={…}` what a library's exception means",
    ),
    "VX401": Entry(
        "drivers/mail/driver.py:2: driver `mail.reader`: unknown kind `tol`. Did you mean `tool`?",
        "Correct the driver at the line; then: vextir build",
    ),
    "VX402": Entry("drivers/mail/driver.py:2: driver `mail.reader`: unknown kind `tol`. Did you mean `tool`?", _EACH),
    "VX403": Entry(
        "drivers/index.json: there is no driver index. Run: vextir build",
        "Run `vextir build`, and commit drivers/index.json with the drivers that it describes",
    ),
    "VX404": Entry(
        "driver shop.till did not end within 0.01 s. Raise its `timeout`, or split its work",
        "Raise `timeout=` of the driver, or let it do less in one turn. It is tried again as its `retry` says",
    ),
    "VX405": Entry(
        "does not fit driver `shop.till`: count: Input should be a valid integer",
        "Send the event again with data that fits; `vextir drivers show NAME` prints the schema. It is not tried again",
    ),
    "VX406": Entry(
        "driver `shop.till`: the output is not JSON: the value is a object",
        "Return nothing, an Event, a list of them, JSON, a pydantic model, a dataclass or Result(output=…, events=[…])",
    ),
    "VX407": Entry(
        "driver shop.till emits 'order.paid' without the permission. Add 'emit:order.paid' to its `permissions`",
        "A driver needs both: the permission in its manifest, and a policy that allows the action",
    ),
    "VX408": Entry(
        "there is no driver `mail.raeder`. Did you mean `mail.reader`?",
        "Look at `vextir drivers`. Runs of a driver that was removed wait for a worker that has it",
    ),
    "VX409": Entry(
        "drivers/mail/driver.py:5: httpz is needed by this driver and is not installed",
        "Correct the file at the line, or install what it needs; each event tries the import again",
    ),
    "VX410": Entry(
        "the till answers 503",
        "The driver says so, in its own words: the same call may succeed soon. It is tried again, with growing pauses",
    ),
    "VX411": Entry(
        "the till answers 429",
        "The driver says so, in its own words: somebody asks to come back later. It is tried again then",
    ),
    "VX412": Entry(
        "there is no customer c-7",
        "The driver says so, in its own words: what was asked is wrong and stays wrong. Correct the event: "
        "`vextir dead replay ID --edit`",
    ),
    "VX413": Entry(
        "the till answers 403",
        "The driver says so, in its own words: it is not let in. Look at its credentials, then: vextir dead replay ID",
    ),
    "VX420": Entry(
        "`triage` is a declared agent, and this version runs no declared agents",
        "The event is kept as a dead letter; a version that runs agents takes it with `vextir dead replay`",
    ),
    "VX421": Entry(
        "driver shop.till could not start: RuntimeError: the drawer is stuck",
        "Look at `start` of the class and what it connects to. The next attempt makes the instance anew",
    ),
    "VX422": Entry(
        "VEXTIR_PACKS: there is no pack `acme-drivrs` among what is installed. Run: vextir drivers packs",
        "Install the distribution, correct its name in the setting, or leave it out; then build the index anew",
    ),
    "VX423": Entry(
        "driver shop.till gave no heartbeat for 0.02 s, and not once before",
        "Call `ctx.heartbeat()` more often than its `heartbeat` says, or raise that. It is tried again",
    ),
    "VX430": Entry(
        "driver till used more memory than its limit of 300MB",
        "Raise the limit that the message names, or let the driver need less. It counts as a bug",
    ),
    "VX431": Entry(
        "the process of driver till ended itself with status 3",
        "The driver ended its process, or was killed. What it wrote last stands below the traceback of the run",
    ),
    "VX432": Entry(
        "turns of driver shop.till could not be stopped and still run",
        'Give what blocks a time-out of its own, or run the driver with isolation="process"; it is tried again',
    ),
    "VX433": Entry(
        'driver till may not read /etc/passwd under isolation "process"',
        "Run the driver `inline` or `thread` if it is to have this; isolation `process` takes it away",
    ),
    "VX434": Entry(
        'driver till may not import ctypes under isolation "process"',
        "Run the driver `inline` or `thread` if it is to have this; isolation `process` takes it away",
    ),
    "VX440": Entry(
        "the request to 127.0.0.1 cannot be sent: a header is none",
        "Correct what the driver sends; the base of all errors of calls to other hosts",
    ),
    "VX441": Entry(
        "'api.example.com' may not be reached: 169.254.169.254 hands out secrets of this machine",
        "Addresses of this machine and of private networks are refused. If one is meant, the operator has to name it",
    ),
    "VX442": Entry(
        "api.example.com has no address. Look at the name", "Look at the name and the network. It is tried again"
    ),
    "VX443": Entry(
        "127.0.0.1 packs its answer as 'br'. gzip and deflate are read",
        "The other side answers in a way that is not read, or too much; ask it for less, or name the final address",
    ),
    "VX500": Entry(
        "SQLite refused a statement on",
        "A bug of Vextir OS, or a SQLite that is older than 3.35. Please report it",
    ),
    "VX501": Entry(
        "there is no document events/r1. It was never created, deleted, or has expired",
        "Look at the id: ids are never shortened. Finished events are kept for VEXTIR_RETENTION_S",
    ),
    "VX502": Entry(
        "document events/r1 exists already in partition 'p'. Read it, or use another id",
        "Inside the OS this is how a duplicate is known; a program of yours reads the document, or takes another id",
    ),
    "VX503": Entry(
        "document events/r1 changed since it was read (expected etag 'a', found '1.1'). Read it again and reapply the",
        "Somebody else was faster. Read again, decide anew, write again; the OS does so by itself",
    ),
    "VX504": Entry(
        "cannot be opened: Is a directory. Name a file in a folder that this user may write to",
        "Look at the disk, the folder and who may write there. Whether a write happened is unknown unless the message "
        "says so; sending again under the same id is safe",
    ),
    "VX505": Entry(
        "for too long; nothing was written. Look for a process that keeps a transaction open",
        "Close the program that holds the file, then send again",
    ),
    "VX506": Entry(
        "nothing was written. Free space; later writes work again by themselves",
        "Free space on the disk, raise VEXTIR_MAX_DATABASE, or lower VEXTIR_RETENTION_S. No restart is needed",
    ),
    "VX507": Entry(
        "is damaged (SQLITE_CORRUPT: database disk image is malformed)",
        "Stop all processes and keep a copy. Restore a backup (`vextir restore`), or use `.recover` of sqlite3",
    ),
    "VX508": Entry(
        "is no SQLite database. Name another file; this one was not changed",
        "Look at VEXTIR_DATA_DIR. A database of a newer version needs that version: upgrade Vextir OS",
    ),
    "VX509": Entry(
        "is no longer held: it expired, or its message is settled. The message comes again; look at its record before",
        "Nothing is lost: the message comes again, and its record says what was done. Settle before the lock ends",
    ),
    "VX510": Entry(
        "session 'customer-7' of queue 'ordered' is locked by another receiver",
        "One worker at a time has a key. Try again when its lock has ended, or take the next session",
    ),
    "VX511": Entry(
        "blob r1/data is not what its reference names (expected 17 bytes",
        "It was replaced since it was looked up: read the record again. If that does not help, the data was changed by "
        "somebody else; restore a backup",
    ),
    "VX512": Entry(
        "blob name 'data' is not `<record id>/<part>` of at most 1024",
        "Correct the name, document or option; no store takes it",
    ),
    "VX513": Entry(_NEVER, "The base of VX514 and VX515: nothing was accepted; send again after `retry_after_s`"),
    "VX514": Entry(
        "2 events wait on the queue, at most 1 may. Send again in 5 s; is `vextir dev` running?",
        "Send again later. Do workers run, and keep up? What is inside goes on. VEXTIR_MAX_QUEUE_DEPTH is the bound",
    ),
    "VX515": Entry(
        "at most 0 MB are allowed. Lower VEXTIR_RETENTION_S, or raise VEXTIR_MAX_DATABASE",
        "Make room, lower VEXTIR_RETENTION_S, or move the bound: VEXTIR_MIN_FREE_DISK, VEXTIR_MAX_DATABASE",
    ),
    "VX516": Entry(
        "cannot be restored: it is no ZIP file. Nothing was changed. Take another backup",
        "Take another backup; a newer one needs the version that made it",
    ),
    "VX517": Entry(
        "holds data already. Restore into another folder with --into DIR, or put the data aside with --replace",
        "Stop what runs on the folder; restore elsewhere with --into, or put the old data aside with --replace",
    ),
    "VX518": Entry(
        "document events/r1 has expired. Its id is remembered, and taken",
        "It was kept for VEXTIR_RETENTION_S. Its id stays taken, so that a late duplicate is not run again",
    ),
    "VX600": Entry(
        "the worker died 6 times while it ran this driver, at most 5 are allowed",
        "The driver takes its process with it: too much memory, a crash in C, os._exit. Correct it, then: "
        "vextir dead replay ID",
    ),
    "VX601": Entry(
        "the run is running under fence 2, not running under fence 1 any more",
        "Another worker has the run. Only workers see this, and they drop what they have of it; nothing is to be done",
    ),
    "VX603": Entry(
        "event e-1 did not end within 0.001 s. Is the OS running? Run: vextir dev. Then: vextir trace e-1",
        "It goes on without you: `vextir trace ID`. Wait longer with --timeout, and see that workers run",
    ),
    "VX604": Entry(
        "event e-1 is over already: shop.till is done. Nothing was changed",
        "Look at the event (`vextir runs show ID`) and decide anew",
    ),
    "VX605": Entry(
        "at most 0 may follow each other. Let the chain end, or begin a new flow; or raise VEXTIR_MAX_DEPTH",
        "Drivers set each other off without an end: break the circle, or raise the limit that the message names",
    ),
    "VX900": Entry(
        "api key: the API key is not at least 32 visible ASCII characters",
        "`vextir config` shows every setting and where it comes from",
    ),
    "VX901": Entry("VEXTIR_PORT: 'http' is wrong: it takes a whole number from 0 to 65535", _EACH),
    "VX902": Entry(
        "the request has no key. Send `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        "The key is in the file api.key of the data directory; `vextir dev` says where. Browsers of other sites and "
        "names of other hosts are refused whatever key they have",
    ),
    "VX903": Entry(
        '--timeout: \'soon\' is not a duration such as "500ms", "30s", "5m" or "1h"',
        "`vextir COMMAND --help` lists all options; over HTTP, the answer says what the route takes",
    ),
    "VX904": Entry(
        "there is no setting `prot`. Did you mean `port`?", "`vextir config` lists all of them, docs/settings.md too"
    ),
    "VX910": Entry(
        "the installed vextir-os has no METADATA or WHEEL file. Install it again",
        "Install Vextir OS with pip or uv, or run `make setup` in the checkout, and use its `vextir`",
    ),
    "VX911": Entry(
        "the version of OpenAPI is `2.0`. Versions 3.0 and 3.1 are understood; converters make one of Swagger 2.0",
        "Correct the document at the place that is named, or choose other operations with `--only`",
    ),
}
