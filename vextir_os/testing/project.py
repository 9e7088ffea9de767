"""What an OS under test is made of: the project that a test lies in, its drivers as they stand, its policies."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vextir_os.errors import PolicyProblemsError, UsageError, did_you_mean
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.loader import SUFFIX, load_policies
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.policy.reader import read_policies
from vextir_os.registry.discover import discover
from vextir_os.registry.packs import homes_of
from vextir_os.settings import Settings, load_settings
from vextir_os.testing.driving import TroubledRegistry
from vextir_os.testing.trouble import Trouble
from vextir_os.yamlio import load_yaml

Policies = Path | str | Sequence[Policy]
"""A folder of policy files, the text of one, or policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an OS under test is made of: see `open_os`."""

    drivers: Sequence[Callable[..., Any]]
    root: Path | None
    policies: Policies | None
    settings: Mapping[str, Any]


ALLOW_ALL = (
    Policy(id="tests-allow-everything", effect="allow", match=Match(action=("publish:**", "process:**", "emit:**",
                                                                           "admin:*")), priority=1),
)  # fmt: skip
"""Of drivers that are given directly: their manifests alone bound them."""


def find_project(start: Path) -> Path:
    """Return the nearest folder from `start` upward that holds drivers or policies.

    Raises:
        UsageError: There is none.
    """
    for folder in (start, *start.parents):
        if any(_marks(folder)):
            return folder
    raise UsageError(
        f"{start} lies in no project: no folder above it has drivers/<name>/driver.py or policies/*{SUFFIX}",
        hint="Give the drivers directly: open_os(driver, …)",
    )


def drivers_of(
    drivers: Sequence[Callable[..., Any]], root: Path | None, trouble: Trouble
) -> Callable[[], TroubledRegistry]:
    """Return what makes the registry of a worker: of the drivers that are given, or of those of a project.

    The files of a project are read now, as they stand. Each worker has instances of its own of drivers that are
    classes, as each process has.

    Raises:
        ManifestError, ManifestProblemsError: Something is wrong with them.
        PackError: The project names a pack that is not installed.
    """
    if drivers or root is None:
        TroubledRegistry.of(*drivers)
        return lambda: _troubled(TroubledRegistry.of(*drivers), trouble)
    packs = homes_of(load_settings(root, {}).packs)
    manifests = discover(root, packs=packs, environ=os.environ)
    return lambda: _troubled(TroubledRegistry(manifests, root=root), trouble)


def settings_of(root: Path | None, data: Path, given: Mapping[str, Any]) -> Settings:
    """Return the settings of a project, or the usual ones, with those that are given; the environment has no say.

    Raises:
        UsageError: There is no setting of a name that is given.
        SettingsProblemsError: Those of the project are wrong.
    """
    known = {field.name for field in fields(Settings)}
    for name in given:
        if name not in known:
            raise UsageError(f"there is no setting `{name}`", hint=did_you_mean(name, known))
    own = Settings(root=data, data_dir=data) if root is None else load_settings(root, {})
    kept = {"data_dir": data / "data", "min_free_disk": 0, "synchronous": "NORMAL", "log": "", "otlp_endpoint": ""}
    return replace(own, **{**kept, **given})


def engine_of(policies: Policies | None, root: Path | None) -> PolicyEngine:
    """Return the policies that are given, those of the project, or without one some that allow everything.

    Raises:
        PolicyProblemsError: Something is wrong with them.
    """
    if policies is None:
        policies = ALLOW_ALL if root is None else root / "policies"
    if isinstance(policies, str) and "\n" in policies:
        part = read_policies(load_yaml(policies, "policies"))
        if part.problems:
            raise PolicyProblemsError(list(part.problems))
        return PolicyEngine(Bundle(policies=part.policies, development=part.development))
    if isinstance(policies, (str, Path)):
        folder = Path(policies)
        if not folder.is_dir():
            raise UsageError(f"there is no folder of policies {folder}", hint="Name one, or give the text of a file")
        return PolicyEngine(load_policies(folder))
    return PolicyEngine(Bundle(policies=tuple(policies)))


def _troubled(registry: TroubledRegistry, trouble: Trouble) -> TroubledRegistry:
    registry.trouble = trouble
    return registry


def _marks(folder: Path) -> Iterator[Path]:
    # A folder `tests/drivers` with tests of drivers in it is none of drivers.
    yield from (folder / "drivers").glob("*/driver.py")
    yield from (folder / "policies").glob(f"*{SUFFIX}")
