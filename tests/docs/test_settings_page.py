"""docs/settings.md is written from the settings: none is missing, and what it says can be set."""

import re
import tomllib
from pathlib import Path

from scripts.settings_page import PAGE, page
from vextir_os.settings import load_settings
from vextir_os.settings.model import DEFAULTS, MEANINGS
from vextir_os.settings.sources import find_settings, known

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_settings_say() -> None:
    assert page() == TEXT, "run: make pages"


def test_every_setting_stands_on_it_with_the_default_that_it_has() -> None:
    rows = re.findall(r"^\| `(VEXTIR_\w+)` \| [^|]+ \| (?:`([^`]+)`|none)", TEXT, re.MULTILINE)
    assert [known(name) for name, _ in rows] == list(MEANINGS)
    told = {name: text for name, text in rows if text and name != "VEXTIR_DATA_DIR"}
    found = find_settings(Path("/project"), told)
    assert found.settings() == load_settings(Path("/project"), {})
    assert {name for name in MEANINGS if found.origins[name].source == "default"} == {
        "data_dir", *(name for name, value in DEFAULTS.items() if value in ("", ()))
    }  # fmt: skip


def test_the_file_of_the_page_can_be_used(tmp_path: Path) -> None:
    text = TEXT.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "vextir.toml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path, {})
    assert tomllib.loads(text)["port"] == settings.port == 8400
