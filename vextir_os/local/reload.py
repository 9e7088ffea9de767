"""Exchanging drivers and policies of a running OS: new events get the new ones, runs at work end on the old ones.

What has not changed stays as it is, started instances included. An instance of a driver that has changed is stopped
once its last call has ended.
"""

import asyncio
from collections.abc import Sequence

from vextir_os.driverkit.call import LoadedDriver
from vextir_os.driverkit.instance import Instance
from vextir_os.kernel import Kernel
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle
from vextir_os.registry.folders import DRIVERS
from vextir_os.registry.instances import stop_all
from vextir_os.registry.manifest_json import Index
from vextir_os.registry.modules import forget_folders


class Reload:
    """What a running OS works with, and its exchange. Used from the OS's event loop.

    Args:
        kernel: The OS.
        index: Its drivers.
    """

    def __init__(self, kernel: Kernel, index: Index) -> None:
        self._kernel = kernel
        self._sources = dict(index.sources)
        self._retiring: dict[asyncio.Task[None], LoadedDriver] = {}

    def exchange(self, index: Index, bundle: Bundle) -> Sequence[str]:
        """Go on with these drivers and policies; return what has changed: `drivers/mail`, `policies`.

        Raises:
            ManifestProblemsError, PolicyError: They cannot be used; nothing has changed then.
        """
        before, now = self._sources, dict(index.sources)
        other_policies = bundle != self._kernel.policy.bundle
        if other_policies:
            # Raises where they cannot be used: before any driver was exchanged.
            PolicyEngine(bundle)
        changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        if changed:
            gone = self._kernel.registry.become(index.manifests)
            folders = (name.removeprefix(f"{DRIVERS}/") for name in changed if name.startswith(f"{DRIVERS}/"))
            forget_folders(self._kernel.settings.root, folders)
            self._sources = now
            self._retire(gone)
        if other_policies:
            self._kernel.policy.become(bundle)
            changed.append("policies")
        return changed

    async def close(self) -> None:
        """Stop at once what still waits to be stopped."""
        left, self._retiring = self._retiring, {}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await stop_all(left.values())

    def _retire(self, gone: Sequence[LoadedDriver]) -> None:
        for driver in gone:
            if driver.instance is not None:
                task = asyncio.create_task(_stopped(driver, driver.instance))
                self._retiring[task] = driver
                task.add_done_callback(lambda done: self._retiring.pop(done, None))


async def _stopped(driver: LoadedDriver, instance: Instance) -> None:
    await instance.idle()
    await stop_all([driver])
