"""Base classes of drivers that are classes: they name the kind, and give `start`, `stop` and `health` their places."""

from typing import ClassVar

from vextir_os.driverkit.manifest import DriverKind

Health = bool | str | None
"""What `health` answers: nothing or True for well, a text that says what is wrong, or False."""


class BaseDriver:
    """A driver as a class: one instance in each process, made without arguments at the first event.

    A subclass under `@driver` writes `async def handle(self, …)`, with the parameters that a driver function may have.
    """

    KIND: ClassVar[DriverKind]

    async def start(self) -> None:
        """Open what all runs share; awaited once, before the first of them. If it raises, the next attempt tries anew.

        It may take nine tenths of the driver's time-out.
        """

    async def stop(self) -> None:
        """Close it. Best effort, for a few seconds; a process that is killed calls nothing. Nothing may rest on it."""

    async def health(self) -> Health:
        """Say whether the driver is well; asked now and then while it is started. Raising is being unwell too."""
        return None


class AgentDriver(BaseDriver):
    """A driver of kind `agent`: it decides by a model."""

    KIND = "agent"


class ToolDriver(BaseDriver):
    """A driver of kind `tool`: it does one thing that is asked for."""

    KIND = "tool"


class IODriver(BaseDriver):
    """A driver of kind `io`: it brings events in, or takes something out."""

    KIND = "io"


class UIDriver(BaseDriver):
    """A driver of kind `ui`: it shows something to people, or takes what they enter."""

    KIND = "ui"


BASES = (AgentDriver, ToolDriver, IODriver, UIDriver)
"""The bases that name a kind."""
