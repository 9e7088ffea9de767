"""What a person puts in the place of a dead letter: out of a file, out of stdin, or out of their editor."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from vextir_os.cli.app import EDITOR
from vextir_os.cli.files import read_bytes
from vextir_os.errors import NotFoundError, TooLargeError, UsageError, VextirError
from vextir_os.events import jsonio
from vextir_os.events.codec import from_item, to_dict
from vextir_os.events.limits import BLOB_BYTES
from vextir_os.kernel import Kernel
from vextir_os.processor.edits import Edit, event_of
from vextir_os.runs.claimcheck import check_out
from vextir_os.runs.letters import letter_view
from vextir_os.runs.record import EVENTS, RecordDoc

_SHOWN = ("type", "subject", "partitionkey", "ordered", "priority", "data")


async def edit_of(kernel: Kernel, letter: Mapping[str, Any], where: str) -> Edit:
    """Return what stands in for a dead letter. A JSON object with `specversion` is a whole event, all else data.

    Args:
        kernel: Where the event of the dead letter is.
        letter: The dead letter.
        where: A file, `-` for stdin, or `EDITOR`.

    Raises:
        UsageError: It cannot be read, or nothing was changed.
        EventError: It is no JSON, or no event.
    """
    if where == EDITOR:
        return await _from_editor(kernel, letter)
    raw = _from_stdin() if where == "-" else read_bytes(Path(where))
    return _read(raw, "stdin" if where == "-" else where)


async def _from_editor(kernel: Kernel, letter: Mapping[str, Any]) -> Edit:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if not sys.stdin.isatty() or not editor:
        raise UsageError(
            "there is no terminal with an $EDITOR", hint="Give the data, or a whole event: --edit FILE, or --edit -"
        )
    before = await _text_of(kernel, letter)
    after = await asyncio.to_thread(_edited, shlex.split(editor), before)
    if after.strip() == before.strip():
        raise UsageError("nothing was changed, and nothing published", hint="As it is: vextir dead replay ID")
    return _read(after, "the editor")


async def _text_of(kernel: Kernel, letter: Mapping[str, Any]) -> bytes:
    """Return the event of a dead letter as a person edits it, of a message its bytes."""
    if letter["kind"] != "run":
        body = letter_view(letter)["body"]
        return str(body.get("text", "")).encode()
    try:
        stored = await kernel.store.read(EVENTS, letter["record"]["pk"], letter["record"]["id"])
    except NotFoundError:
        return b'{"specversion": "1.0", "type": "", "data": null}'
    event = await check_out(event_of(cast(RecordDoc, stored.document)), kernel.blobs)
    fields = to_dict(event)
    shown = {"specversion": "1.0", **{name: fields[name] for name in _SHOWN if name in fields}}
    return json.dumps(shown, ensure_ascii=False, indent=2).encode()


def _edited(editor: list[str], before: bytes) -> bytes:
    # Mode 0600, in a folder of its own: what an event holds is nobody else's.
    with tempfile.TemporaryDirectory(prefix="vextir-") as folder:
        file = Path(folder) / "event.json"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(before)
        ended = subprocess.run([*editor, str(file)], check=False)  # noqa: S603 - the person's own editor
        if ended.returncode:
            raise UsageError(f"the editor ended with {ended.returncode}, and nothing was published")
        return read_bytes(file)


def _from_stdin() -> bytes:
    raw = sys.stdin.buffer.read(BLOB_BYTES + 1)
    if len(raw) > BLOB_BYTES:
        raise TooLargeError(f"stdin has over {BLOB_BYTES} bytes", where="stdin")
    return raw


def _read(raw: bytes, where: str) -> Edit:
    try:
        value = jsonio.loads_strict(raw)
        if isinstance(value, dict) and "specversion" in value:
            # An id and a source are the edge's to give.
            return Edit(event=from_item({"id": "edited", "source": "/cli", **value}))
    except VextirError as error:
        error.where = error.where or where
        raise
    return Edit(data=value)
