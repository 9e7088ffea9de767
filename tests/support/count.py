"""A second program that reads the database file: `python tests/support/count.py <vextir.db>`; sqlite3 and json alone.

It prints one JSON object: every record by event id (status of the runs, outputs, times, data of its event), the dead
letters by kind, and how many messages are left. It knows nothing of the OS but the layout of its records, and reads
what is durable: what another program would find after the OS is gone.
"""

import json
import sqlite3
import sys
from typing import Any


def found(path: str) -> dict[str, Any]:
    """Return what is in the file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    records: dict[str, list[dict[str, Any]]] = {}
    for (body,) in connection.execute("SELECT body FROM documents WHERE container = 'events' ORDER BY row"):
        record = json.loads(body)
        seen = {
            "type": record["event"]["type"],
            "data": record["event"].get("data"),
            "cause": record["event"].get("causationid", ""),
            "began": min((run["started"] or 0.0 for run in record["runs"].values()), default=0.0),
            "ended": max((run["ended"] or 0.0 for run in record["runs"].values()), default=0.0),
            "finished": "due" not in record and not record["outbox"],
            "runs": {name: [run["state"], output(connection, run)] for name, run in record["runs"].items()},
        }
        records.setdefault(record["event_id"], []).append(seen)
    letters: dict[str, int] = {}
    for (body,) in connection.execute("SELECT body FROM documents WHERE container = 'deadletters'"):
        kind = json.loads(body)["kind"]
        letters[kind] = letters.get(kind, 0) + 1
    (messages,) = connection.execute("SELECT count(*) FROM messages").fetchone()
    connection.close()
    return {"records": records, "dead_letters": letters, "messages": messages}


def output(connection: sqlite3.Connection, run: dict[str, Any]) -> Any:
    """Return the output of a run, from its blob when the record holds a reference."""
    if run["output_ref"] is None:
        return run["output"]
    name = run["output_ref"].removeprefix("vextir-blob:").partition("?")[0].replace("%7E", "~")
    (data,) = connection.execute("SELECT data FROM blobs WHERE name = ?", (name,)).fetchone()
    return json.loads(data)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(found(sys.argv[1])))
