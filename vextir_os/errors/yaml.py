"""Errors of YAML files, before anybody asks what a file is about (0xx)."""

from vextir_os.errors.base import ProblemsError, VextirError


class YamlError(VextirError):
    """One problem in a YAML file, before anybody asks what the file is about."""

    code = "VX001"
    kind = "invalid"


class YamlProblemsError(ProblemsError, YamlError):
    """A YAML file cannot be read; all its problems."""

    code = "VX002"
