"""Ten thousand drivers: who has no event is neither imported nor even decoded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.registry.index import build_index, write_index
from vextir_os.registry.manifest_json import Index
from vextir_os.registry.registry import Registry

DRIVERS = 10_000

START = """
import json, sys
from pathlib import Path
from vextir_os.registry.index import load_index
from vextir_os.registry.registry import Registry

def imported():
    return sorted(name.partition(".")[2] for name in sys.modules if name.startswith("vextir_loaded_") and "." in name)

manifests = load_index(Path(sys.argv[1])).manifests
registry = Registry(manifests, root=Path(sys.argv[1]))
loaded = [len(registry.ids), manifests.decoded, imported()]
[mine] = registry.route("order.placed")
routed = [mine.id, manifests.decoded, imported()]
registry.load(mine)
print(json.dumps([loaded, routed, [manifests.decoded, imported()]]))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two real drivers among so many that stand in the index alone, as if never touched."""
    root = tmp_path_factory.mktemp("many")
    write_driver(root, "shop", simple_driver("shop.till", "order.placed"))
    write_driver(root, "mail", simple_driver("mail.reader", "mail.*"))
    real = build_index(root)
    others = tuple(
        Manifest(
            id=f"other.n{number}", kind="tool", capabilities=(f"other.n{number}.done",), module=f"n{number}.driver"
        )
        for number in range(DRIVERS - 2)
    )
    sources = {f"drivers/n{number}": "sha256:1" for number in range(DRIVERS - 2)}
    write_index(root, Index(manifests=(*real.manifests, *others), sources={**real.sources, **sources}))
    return root


def test_an_event_pays_for_its_own_driver_and_for_no_other(root: Path) -> None:
    done = subprocess.run([sys.executable, "-I", "-c", START, str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded, routed, run = json.loads(done.stdout)
    assert loaded == [DRIVERS, 0, []]
    assert routed == ["shop.till", 1, []]
    assert run == [1, ["shop", "shop.driver"]]


def test_ids_and_capabilities_are_known_without_decoding_a_manifest(root: Path) -> None:
    registry = Registry.open(root)
    assert len(registry.manifests) == DRIVERS
    assert {"order.placed", "mail.*", "other.n7.done"} <= registry.capabilities
    assert "other.n7" in registry.manifests
    assert registry.find("other.n7x") is None
    with pytest.raises(KeyError):
        registry.manifests["other.n7x"]
