"""Errors of settings, callers and command lines (9xx)."""

from vextir_os.errors.base import ProblemsError, VextirError


class SettingsError(VextirError):
    """One wrong or missing setting."""

    code = "VX900"
    kind = "invalid"


class SettingsProblemsError(ProblemsError, SettingsError):
    """The settings cannot be used; all their problems."""

    code = "VX901"


class AuthError(VextirError):
    """The caller did not prove who it is, or comes from where it may not."""

    code = "VX902"
    kind = "permission"


class UsageError(VextirError):
    """A command line that cannot be carried out as it is written."""

    code = "VX903"
    kind = "invalid"


class UnknownSettingError(SettingsError):
    """There is no setting of this name."""

    code = "VX904"


class ApiDocumentError(VextirError):
    """An OpenAPI document that no driver can be made of."""

    code = "VX911"
    kind = "invalid"


class PackageError(VextirError):
    """The OS that runs here cannot be packed as a wheel, so no project can be made with it."""

    code = "VX910"
    kind = "invalid"
