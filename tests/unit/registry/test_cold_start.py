"""A start with a hundred drivers imports none of them, and nothing heavy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.drivers import write_driver
from vextir_os.registry.index import build_index, check_fresh, load_index, write_index

HEAVY = ("openai", "anthropic", "mcp", "azure", "fastapi", "starlette", "uvicorn", "pydantic", "pydantic_core", "yaml")

START = """
import json, sys
from pathlib import Path
from vextir_os.registry.index import check_fresh, load_index
from vextir_os.registry.registry import Registry

root = Path(sys.argv[1])
registry = Registry.open(root)
assert len(registry.manifests) == 100
assert not check_fresh(root, load_index(root))
assert [found.id for found in registry.route("order.n42.placed")] == ["shop.n42"]
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a hundred drivers with typed data, and their index."""
    root = tmp_path_factory.mktemp("hundred")
    for number in range(100):
        write_driver(
            root,
            f"shop{number}",
            f"""\
            from pydantic import BaseModel

            class Order(BaseModel):
                item: str

            @driver("shop.n{number}", capabilities=["order.n{number}.*"])
            async def place(event: Event, data: Order) -> None: ...
            """,
        )
    write_index(root, build_index(root))
    return root


def test_reading_the_index_and_routing_import_no_driver_and_nothing_heavy(root: Path) -> None:
    done = subprocess.run([sys.executable, "-I", "-c", START, str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout)
    assert [name for name in modules if name.startswith("vextir_loaded")] == []
    assert [name for name in modules if name.partition(".")[0] in HEAVY] == []


def test_the_index_of_the_stock_drivers_is_fresh() -> None:
    root = Path(__file__).parents[3]
    assert check_fresh(root, load_index(root)) == []
    assert build_index(root) == load_index(root)
