"""Files answer one question: none is over 400 lines."""

from pathlib import Path

import pytest

from tests.architecture.source import files, module_of

LINES = 400
FOLDERS = ("vextir_os", "drivers", "benchmarks", "examples", "scripts", "tests", "function_app")


@pytest.mark.parametrize("path", files(*FOLDERS), ids=module_of)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES, "split it by the questions it answers"
