"""Signatures in a copy of a database: taken out for a backup, made anew under the key of where it is restored."""

import base64
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from vextir_os.adapters.sqlite import copying
from vextir_os.events.identity import Signer
from vextir_os.ports.queue import Scalar
from vextir_os.runs.messages import sealed, unsealed
from vextir_os.runs.record import DEAD_LETTERS

_Properties = dict[str, Scalar]
_Change = Callable[[bytes, _Properties], _Properties | None]


def seal(connection: sqlite3.Connection, signer: Signer) -> None:
    """Mark what this key has signed as signed, and take all signatures out: of messages, and of those kept dead."""
    _rewrite(connection, partial(sealed, signer))


def unseal(connection: sqlite3.Connection, signer: Signer) -> None:
    """Sign what is marked as signed."""
    _rewrite(connection, partial(unsealed, signer))


def _rewrite(connection: sqlite3.Connection, change: _Change) -> None:
    copying.rewrite_messages(connection, change)

    def letter(document: dict[str, Any]) -> dict[str, Any] | None:
        if document.get("kind") != "message":
            return None
        body = _body(connection, document["body"])
        properties = None if body is None else change(body, document["properties"])
        return None if properties is None else {**document, "properties": properties}

    copying.rewrite_documents(connection, DEAD_LETTERS, letter)


def _body(connection: sqlite3.Connection, kept: dict[str, Any]) -> bytes | None:
    if "blob" in kept:
        return copying.blob(connection, kept["blob"]["name"])
    return base64.b64decode(kept["base64"])
