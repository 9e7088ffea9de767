"""Who may import what, where import-linter cannot say it: vendors' SDKs, adapters, forms of old, drivers."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import vextir_os
from tests.architecture.source import Import, files, imports, imports_of, module_of, shown, within

HEAVY = (
    "fastapi", "starlette", "uvicorn", "openai", "anthropic", "mcp", "azure", "prometheus_client", "structlog",
    "opentelemetry",
)  # fmt: skip
SDK_PACKAGES = (
    "vextir_os.adapters", "vextir_os.api", "vextir_os.local", "vextir_os.telemetry.exposition",
    "vextir_os.telemetry.lines", "vextir_os.telemetry.otel",
)  # fmt: skip
IMPORTERS = {
    "vextir_os.adapters": ("vextir_os.bootstrap", "vextir_os.local"),
    "vextir_os.compat": ("vextir_os.cli", "vextir_os.testing"),
}
"""Who may import these packages, besides themselves."""


def misplaced(module: str, found: Iterable[Import]) -> Iterator[tuple[int, str]]:
    """Yield line and reason of every import that this module of the project must not have."""
    for one in found:
        if within(one.module, *HEAVY) and not _may_hold_an_sdk(module):
            yield one.line, f"{one.module} is heavy. Import it in {', '.join(SDK_PACKAGES)} or drivers/<name>/client.py"
        for package, importers in IMPORTERS.items():
            if within(module, "vextir_os") and within(one.name, package) and not within(module, package, *importers):
                yield one.line, f"{one.name} may be imported by {' and '.join(importers)} only"
        if within(module, "drivers") and within(one.name, "vextir_os") and not _public(module, one):
            yield one.line, f"{one.name} is no public name. A driver imports `from vextir_os import …`"


def _may_hold_an_sdk(module: str) -> bool:
    return within(module, *SDK_PACKAGES) or (within(module, "drivers") and module.endswith(".client"))


def _public(module: str, one: Import) -> bool:
    if one.module == "vextir_os":
        return one.name.rpartition(".")[2] in getattr(vextir_os, "__all__", ())
    if within(one.module, "vextir_os.net"):
        return module.endswith(".client")
    return within(one.module, "vextir_os.testing") and module.rpartition(".")[2].startswith("test_")


@pytest.mark.parametrize("path", files("vextir_os", "drivers"), ids=module_of)
def test_every_import_is_in_its_place(path: Path) -> None:
    findings = misplaced(module_of(path), imports_of(path))
    assert [f"{shown(path, line)}: {reason}" for line, reason in findings] == []


@pytest.mark.parametrize(
    ("module", "code", "reason"),
    [
        pytest.param("vextir_os.policy.engine", "import azure.cosmos", "azure.cosmos is heavy", id="sdk"),
        pytest.param("vextir_os.cli.serve", "def f():\n  import uvicorn", "uvicorn is heavy", id="sdk-in-a-function"),
        pytest.param("drivers.research.driver", "from openai import OpenAI", "openai is heavy", id="sdk-in-a-driver"),
        pytest.param(
            "vextir_os.processor.admit",
            "from vextir_os.adapters.sqlite import store",
            "vextir_os.adapters.sqlite.store may be imported by vextir_os.bootstrap and vextir_os.local only",
            id="adapter",
        ),
        pytest.param("vextir_os.cli.run", "from vextir_os import adapters", "vextir_os.adapters may be", id="package"),
        pytest.param("vextir_os.api.app", "import vextir_os.compat.bus", "vextir_os.compat.bus may be", id="compat"),
        pytest.param(
            "drivers.mail.driver",
            "from vextir_os.runs.ledger import Ledger",
            "vextir_os.runs.ledger.Ledger is no public name",
            id="inner-name-in-a-driver",
        ),
        pytest.param(
            "drivers.mail.driver",
            "from vextir_os.net import request",
            "vextir_os.net.request is no public name",
            id="the-way-outside-beside-the-client",
        ),
        pytest.param("drivers.mail.driver", "import vextir_os", "vextir_os is no public name", id="whole-package"),
        pytest.param(
            "drivers.mail.driver",
            "from vextir_os.testing import run",
            "vextir_os.testing.run is",
            id="kit-outside-tests",
        ),
    ],
)
def test_an_import_out_of_its_place_is_found(module: str, code: str, reason: str) -> None:
    findings = [found for _, found in misplaced(module, imports(ast.parse(code)))]
    assert len(findings) == 1
    assert findings[0].startswith(reason)


@pytest.mark.parametrize(
    ("module", "code"),
    [
        pytest.param("vextir_os.adapters.openai.client", "import openai", id="sdk-in-an-adapter"),
        pytest.param("drivers.research.client", "import openai", id="sdk-in-a-client"),
        pytest.param("vextir_os.bootstrap", "from vextir_os.adapters.sqlite.store import Store", id="assembly"),
        pytest.param("vextir_os.policy.model", "import pydantic", id="pydantic"),
        pytest.param("drivers.mail.client", "from vextir_os.net import request", id="the-way-outside-in-a-client"),
        pytest.param("drivers.mail.test_driver", "from vextir_os.testing import run", id="kit-in-a-drivers-test"),
        pytest.param("vextir_os.runs.mcpish", "import mcp_like", id="name-that-begins-alike"),
    ],
)
def test_an_import_in_its_place_is_left_alone(module: str, code: str) -> None:
    assert list(misplaced(module, imports(ast.parse(code)))) == []


def test_relative_imports_are_read_as_what_they_mean() -> None:
    found = imports(
        ast.parse("from . import ids\nfrom .names import check\nfrom ..ports.clock import Clock"), "vextir_os.events"
    )
    assert [one.name for one in found] == [
        "vextir_os.events.ids",
        "vextir_os.events.names.check",
        "vextir_os.ports.clock.Clock",
    ]
