"""`GET /v1/asyncapi.json`: which events the OS takes and sends, for those who build on it."""

import asyncio
from collections.abc import Mapping

from starlette.responses import Response

from vextir_os.driverkit.manifest import Manifest
from vextir_os.events import jsonio
from vextir_os.kernel import Kernel
from vextir_os.registry.registry import Registry
from vextir_os.schemas.asyncapi import asyncapi
from vextir_os.schemas.project import info_of

ASYNCAPI = "/v1/asyncapi.json"


class AsyncApi:
    """Makes the document when it is first asked for, and keeps it as long as the drivers are the same.

    Args:
        kernel: The OS whose drivers it tells of.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._one = asyncio.Lock()
        self._made: tuple[Mapping[str, Manifest], bytes] | None = None

    async def answer(self) -> Response:
        """Return the document."""
        registry = self._kernel.registry
        async with self._one:
            # A reload puts another table of manifests into the same registry.
            manifests = registry.manifests
            if self._made is None or self._made[0] is not manifests:
                # Beside the event loop, since many drivers make much text.
                self._made = manifests, await asyncio.to_thread(self._document, registry)
        return Response(self._made[1], 200, media_type="application/json")

    def _document(self, registry: Registry) -> bytes:
        manifests = [one for name in registry.ids for one in registry.versions.get(name, (registry.manifests[name],))]
        return jsonio.dumps(asyncapi(manifests, info_of(self._kernel.settings)))
