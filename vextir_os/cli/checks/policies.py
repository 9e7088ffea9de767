"""Policies: what keeps them from being loaded, and what drivers need that none of them can ever allow."""

from collections.abc import Sequence
from pathlib import Path

from vextir_os.cli.checks.findings import Finding, found
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import PolicyFileError, PolicyProblemsError, VextirError
from vextir_os.policy.loader import load_policies
from vextir_os.policy.model import Bundle
from vextir_os.policy.reach import unreachable

FOLDER = "policies"


def check_policies(root: Path, manifests: Sequence[Manifest]) -> tuple[int, list[Finding]]:
    """Return how many policies there are, and what was found about them.

    Args:
        root: The project root.
        manifests: The drivers that can be used.
    """
    try:
        bundle = load_policies(root / FOLDER)
    except PolicyProblemsError as error:
        return 0, found("problem", FOLDER, [error])
    return len(bundle.policies), found("warning", FOLDER, _warnings(bundle, manifests))


def _warnings(bundle: Bundle, manifests: Sequence[Manifest]) -> list[VextirError]:
    if not bundle.policies:
        hint = f"Write one in {FOLDER}/*.yaml"
        return [PolicyFileError("there are no policies: every event is denied", hint=hint, where=FOLDER)]
    warnings: list[VextirError] = []
    if bundle.development:
        hint = "Replace them before others can reach this OS"
        warnings.append(
            PolicyFileError("the policies are for development: nothing is checked", hint=hint, where=FOLDER)
        )
    for manifest, action in unreachable(bundle, manifests):
        where = f"{manifest.entry.rpartition(':')[0]}:{manifest.line}"
        what = f"driver `{manifest.id}`: no policy can ever allow `{action}`"
        warnings.append(PolicyFileError(what, hint="Let a policy allow it, or remove it from the driver", where=where))
    return warnings
