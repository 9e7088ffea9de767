"""Errors of drivers and their manifests (4xx)."""

from vextir_os.errors.base import ProblemsError, VextirError


class DriverError(VextirError):
    """Something about a driver or its manifest."""

    code = "VX400"


class ManifestError(DriverError):
    """One problem in a driver's manifest or module."""

    code = "VX401"
    kind = "invalid"


class ManifestProblemsError(ProblemsError, DriverError):
    """The drivers cannot be indexed; all their problems."""

    code = "VX402"
    kind = "invalid"


class StaleIndexError(DriverError):
    """The driver index does not match the driver files."""

    code = "VX403"
    kind = "invalid"


class DriverTimeoutError(DriverError):
    """A driver did not end within its declared time-out."""

    code = "VX404"
    kind = "transient"


class InvalidPayloadError(DriverError):
    """The event's data does not fit the driver's typed `data` parameter."""

    code = "VX405"
    kind = "invalid"


class InvalidOutputError(DriverError):
    """A driver returned something that is no output: not JSON, too large, not an event."""

    code = "VX406"


class NotPermittedError(DriverError):
    """A driver asked for something that its manifest or a policy does not permit."""

    code = "VX407"
    kind = "permission"


class UnknownDriverError(DriverError):
    """No driver of this id is in the registry."""

    code = "VX408"
    kind = "invalid"


class HeartbeatError(DriverTimeoutError):
    """A driver gave no sign of life for longer than its manifest says it would."""

    code = "VX423"


class DriverStartError(DriverError):
    """The instance of a class driver could not be made or started; it is tried again with the next attempt."""

    code = "VX421"
    kind = "transient"


class DriverImportError(DriverError):
    """A driver's module cannot be imported; it is tried again with the next event."""

    code = "VX409"


class PackError(DriverError):
    """A pack of drivers that the settings name is not installed, or cannot be used."""

    code = "VX422"
    kind = "invalid"


class AgentNotRunError(DriverError):
    """An event came to an agent that is declared in markdown or YAML, and this version runs none."""

    code = "VX420"
    kind = "invalid"


class DriverLimitError(DriverError):
    """A driver used more of something than its manifest, or the OS, allows; its process was ended.

    Args:
        what: What happened, lower case, with the limit and its value.
        limit: Name of the limit: `memory`, `cpu`, `processes`, `files`, `open_files`, `tasks`.
        hint: What to do about it; a sentence.
    """

    code = "VX430"

    def __init__(self, what: str, *, limit: str = "", hint: str = "") -> None:
        self.limit = limit
        super().__init__(what, hint=hint)


class DriverCrashError(DriverError):
    """A driver's process died under it, or wrote what no driver writes to the OS; it was ended."""

    code = "VX431"


class DriverBusyError(DriverError):
    """There is no place to run this driver: too many of its turns could not be stopped, or no process starts."""

    code = "VX432"
    kind = "transient"


class DriverRefusedError(DriverError, PermissionError):
    """A driver's process reached for something that isolation `process` takes away."""

    code = "VX433"
    kind = "permission"


class DriverRefusedImportError(DriverError, ImportError):
    """A driver's process imported a module by which isolation `process` could be left."""

    code = "VX434"
    kind = "permission"
