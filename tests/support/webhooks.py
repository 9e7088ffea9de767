"""GitHub's webhook examples: npm `@octokit/webhooks-examples`."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

from tests.support import npm

PACKAGE = "@octokit/webhooks-examples"
VERSION = "7.6.1"
SHA512 = "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="

_MEMBER = "package/api.github.com/index.json"


def examples() -> Iterator[tuple[str, Any]]:
    """Yield the name of a webhook and one payload of it, for all payloads in the package.

    Raises:
        RuntimeError: The package is not in the cache, and cannot be fetched.
    """
    with tarfile.open(fileobj=io.BytesIO(npm.package(PACKAGE, VERSION, SHA512))) as archive:
        member = archive.extractfile(_MEMBER)
        assert member is not None
        for webhook in json.load(member):
            for payload in webhook["examples"]:
                yield webhook["name"], payload
