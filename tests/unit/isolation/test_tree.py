"""Which processes are below one, and what they use: read from /proc, and from psutil where there is none."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from vextir_os.isolation import tree

NESTED = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'held = bytearray(50_000_000); input()'])"


@pytest.fixture
def nested() -> Iterator[int]:
    """A process with one below it that holds 50 MB and waits."""
    with subprocess.Popen([sys.executable, "-c", NESTED], stdin=subprocess.PIPE) as process:
        yield process.pid


@pytest.mark.parametrize("on_linux", [True, False], ids=["proc", "psutil"])
def test_what_is_below_a_process_is_found_and_measured(
    nested: int, on_linux: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "_LINUX", on_linux)
    until = time.monotonic() + 20
    while tree.memory_bytes(tree.descendants(nested), 10**12) < 50_000_000:
        assert time.monotonic() < until
    (inner,) = tree.descendants(nested)
    assert tree.memory_bytes([nested, inner], 10**12) > tree.memory_bytes([inner], 10**12)
    assert tree.cpu_s([nested, inner]) >= tree.cpu_s([inner]) > 0


def test_shared_memory_counts_once_where_the_sum_is_over_the_limit() -> None:
    here = [os.getpid(), os.getpid()]
    whole = tree.memory_bytes(here, 10**12)
    assert tree.memory_bytes(here, 1) <= whole
