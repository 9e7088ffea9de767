from pathlib import Path

import pytest

from tests.scenario.cli.vextir import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with four drivers, one policy that allows and one that denies."""
    return make_project(tmp_path)
