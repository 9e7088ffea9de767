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


class DriverStartError(DriverError):
    """The instance of a class driver could not be made or started; it is tried again with the next attempt."""

    code = "VX421"
    kind = "transient"


class DriverImportError(DriverError):
    """A driver's module cannot be imported; it is tried again with the next event."""

    code = "VX409"


class AgentNotRunError(DriverError):
    """An event came to an agent that is declared in markdown or YAML, and this version runs none."""

    code = "VX420"
    kind = "invalid"
