"""Whether the port of the HTTP API is free, and who has it where it is not."""

import contextlib
import errno
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.local.presence import census

_ANSWER_S = 2.0
_ANSWER_BYTES = 10_000
_LISTENS = "0A"
"""State of a socket that listens, in the kernel's table (`man proc`, net/tcp)."""


def port(patient: Patient) -> Iterator[Finding]:
    """Look whether `vextir dev` can serve where it is to."""
    host, number = str(patient.found.values["host"]), int(patient.found.values["port"])
    if number == 0:
        yield Finding(check="port", level="ok", what="any free one is taken")
        return
    place = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
    error = _bind(host, number)
    if error is None:
        yield Finding(check="port", level="ok", what=f"{place} is free")
    elif error.errno != errno.EADDRINUSE:
        yield Finding(
            check="port",
            level="problem",
            what=f"{place} cannot be served: {error.strerror or error}",
            means="`vextir dev` does not start",
            advice="Name another address or port: VEXTIR_HOST, VEXTIR_PORT",
        )
    elif (version := _health(host, number)) and census(patient.data_dir).alive:
        yield Finding(check="port", level="ok", what=f"{place} is served by Vextir OS {version}{holder(number)}")
    else:
        by = f"Vextir OS {version}, of another project" if version else "another program"
        yield Finding(
            check="port",
            level="warning",
            what=f"{place} is taken by {by}{holder(number)}",
            means="`vextir dev` does not start there",
            advice="Stop it, or name another port: vextir dev --port 0, or VEXTIR_PORT",
        )


def holder(number: int, proc: Path = Path("/proc")) -> str:
    """Return ` (process 412, python)` for the process that listens on a port, where this user may know it."""
    inodes = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(proc / "net" / table, number)}
    for process in sorted(proc.iterdir()) if inodes else ():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f" (process {process.name}, {(process / 'comm').read_text().strip()})"
    return ""


def _listening(table: Path, number: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == number:
                yield fields[9]


def _bind(host: str, number: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except OSError as error:
            return error
    return None


def _health(host: str, number: int) -> str:
    """Return the version of the Vextir OS that answers there; empty when none does."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(reached, number, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/v1/health", headers={"Host": f"localhost:{number}"})
        answer = json.loads(connection.getresponse().read(_ANSWER_BYTES))
        return str(answer["version"])[:40]
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return ""
    finally:
        connection.close()
