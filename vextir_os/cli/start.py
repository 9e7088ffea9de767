"""What `vextir dev` says when it is ready: five lines, and whether its policies protect anything."""

from collections.abc import Iterator

import vextir_os
from vextir_os.cli.errors import warn
from vextir_os.cli.screen import Screen, Span
from vextir_os.cli.text import counted, visible
from vextir_os.driverkit.manifest import DECLARED
from vextir_os.policy.model import Bundle
from vextir_os.registry.manifest_json import Index
from vextir_os.registry.stored import heads_of
from vextir_os.settings import Settings

_SHOWN = 8


def start_lines(to: Screen, settings: Settings, index: Index, bundle: Bundle, url: str) -> Iterator[str]:
    """Yield the five lines: what runs, where its data is, what it runs, where it is reached, what to do next."""
    drivers = counted(len(index.manifests), "driver")
    policies = f"{len(bundle.policies):,} {'policy' if len(bundle.policies) == 1 else 'policies'}"
    reached = f"{url}   its key is in {settings.data_dir / 'api.key'}"
    yield to.text([Span(f"Vextir OS {vextir_os.__version__}", "bold"), Span(visible(str(settings.root)))])
    yield _pair(to, "data", str(settings.data_dir))
    yield _pair(to, "runs", f"{drivers}, {policies}")
    yield _pair(to, "http", reached)
    yield _pair(to, "next", "vextir events --follow   stop with Ctrl-C")


def warn_of_policies(to: Screen, bundle: Bundle) -> None:
    """Say loudly that nothing is checked, or that everything is denied."""
    if bundle.development:
        to.write(
            to.paint("DEVELOPMENT POLICIES: nothing is checked. Replace them before others can reach this OS", "warn")
        )
    elif not bundle.policies:
        to.write(to.paint("NO POLICIES: every event is denied. Write one in policies/*.yaml", "warn"))


def declared_agents(index: Index) -> list[str]:
    """Return the ids of the drivers that are declared agents."""
    return [head.id for head in heads_of(index.manifests) if head.form in DECLARED]


def warn_of_agents(to: Screen, index: Index) -> None:
    """Say which drivers are declared agents, since this version runs none of them."""
    names = declared_agents(index)
    if names:
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
        warn(to, f"this version runs no declared agents; what comes to them is kept as a dead letter: {shown}")


def _pair(to: Screen, name: str, value: str) -> str:
    return f"  {to.paint(name.ljust(6), 'dim')} {visible(value)}"
