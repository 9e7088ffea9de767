"""What the project says: its settings, its driver index, its policies. No driver is imported."""

from collections.abc import Iterator, Sequence

from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.cli.text import counted
from vextir_os.errors import PackError, ProblemsError, StaleIndexError, VextirError
from vextir_os.settings.model import MEANINGS

RESERVED = ("SERVICEBUS_CONNECTION", "SERVICEBUS_QUEUE", "COSMOS_CONNECTION")
"""Names that people set for Azure. Nothing reads them as long as queue and store are SQLite alone."""

_LOOPBACK = ("localhost", "127.", "::1")
_SHOWN = 10


def settings(patient: Patient) -> Iterator[Finding]:
    """Look whether all settings can be used, and which are not at their default."""
    yield from _problems("settings", patient.found.problems, "the OS does not start", "Run: vextir config")
    ignored = [name for name in RESERVED if patient.environ.get(name)]
    if ignored:
        yield Finding(
            check="settings",
            level="warning",
            what=f"{', '.join(ignored)} {'is' if len(ignored) == 1 else 'are'} set, and nothing reads "
            f"{'it' if len(ignored) == 1 else 'them'}",
            means="events and records are in SQLite, in the data directory, and nowhere else",
            advice="Run: vextir config get data_dir",
        )
    chosen = [
        f"{name} = {MEANINGS[name].kind.show(patient.found.values[name]) or '-'} ({origin.place})"
        for name, origin in patient.found.origins.items()
        if origin.place
    ]
    if not patient.found.problems:
        yield Finding(check="settings", level="ok", what="; ".join(chosen) or "all have their default")


def index(patient: Patient) -> Iterator[Finding]:
    """Look whether the driver index can be used and is what the drivers are now."""
    from vextir_os.registry.index import check_fresh, load_index
    from vextir_os.registry.packs import homes_of

    try:
        packs = homes_of(patient.found.values["packs"])
    except PackError as error:
        yield from _problems("index", [error], "the OS does not start", "Run: vextir drivers packs")
        return
    try:
        found = load_index(patient.root)
        stale: Sequence[VextirError] = check_fresh(patient.root, found, packs)
    except StaleIndexError as error:
        stale = [error]
    if stale:
        yield from _problems(
            "index",
            stale,
            "programs that open the OS refuse it; `vextir dev` builds it anew",
            "Run: vextir build",
            level="warning",
        )
        return
    yield Finding(check="index", level="ok", what=f"fresh: {counted(len(found.manifests), 'driver')}")


def isolation(patient: Patient) -> Iterator[Finding]:
    """Look whether the kernel itself keeps drivers in their place that run in processes."""
    from vextir_os.isolation.landlock import version
    from vextir_os.registry.index import load_index

    try:
        ids = [one.id for one in load_index(patient.root).manifests if one.isolation == "process"]
    except StaleIndexError:
        # What is wrong with the index, its own check says.
        ids = []
    kernel = version()
    if ids and not kernel:
        yield Finding(
            check="isolation",
            level="warning",
            what=f"{counted(len(ids), 'driver')} in processes of their own, and no Landlock in this kernel: "
            f"{', '.join(ids[:_SHOWN])}",
            means="what they may touch is limited by Python alone, which native code gets around",
            advice="Use Linux 5.13 or newer with Landlock switched on: docs/guides/isolation.md",
        )
        return
    running = counted(len(ids), "driver") if ids else "no driver"
    there = f"Landlock {kernel}" if kernel else "no Landlock"
    yield Finding(check="isolation", level="ok", what=f"{running} in processes of their own; {there} in this kernel")


def policies(patient: Patient) -> Iterator[Finding]:
    """Look whether the policies can be read, and whether they protect what others can reach."""
    from vextir_os.policy.loader import load_policies

    try:
        bundle = load_policies(patient.root / "policies")
    except VextirError as error:
        yield from _problems(
            "policies", getattr(error, "problems", (error,)), "the OS does not start", "Write what the message says"
        )
        return
    host: str = patient.found.values["host"]
    if bundle.development and not host.startswith(_LOOPBACK):
        yield Finding(
            check="policies",
            level="problem",
            what=f"they are for development, and the OS is to serve other machines ({host})",
            means="it does not start like this, since everything would be allowed to everybody",
            advice="Write policies without `development: true`, or serve 127.0.0.1",
        )
    elif bundle.development:
        yield Finding(
            check="policies",
            level="warning",
            what="they are for development",
            means="nothing is checked; other machines are not served",
            advice="Write your own before others can reach this OS: docs/guides/policies.md",
        )
    elif not bundle.policies:
        yield Finding(
            check="policies",
            level="warning",
            what="there are none",
            means="every event is denied",
            advice="Write one in policies/: docs/guides/policies.md",
        )
    else:
        many = len(bundle.policies)
        yield Finding(check="policies", level="ok", what="1 policy" if many == 1 else f"{many:,} policies")


def _problems(
    check: str, problems: Sequence[VextirError], means: str, advice: str, *, level: str = "problem"
) -> Iterator[Finding]:
    flat = [one for error in problems for one in (error.problems if isinstance(error, ProblemsError) else (error,))]
    for error in flat[:_SHOWN]:
        place = f"{error.where}: " if error.where else ""
        yield Finding(
            check=check,
            level="warning" if level == "warning" else "problem",
            what=f"{place}{error.what}",
            means=means,
            advice=error.hint or advice,
        )
    if len(flat) > _SHOWN:
        yield Finding(
            check=check,
            level="warning" if level == "warning" else "problem",
            what=f"{len(flat) - _SHOWN} more of the kind",
            means=means,
            advice=advice,
        )
