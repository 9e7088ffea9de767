"""schemas/*.schema.json, written from the models of what people write with `--write`, otherwise checked."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vextir_os.schemas.editor import KINDS  # noqa: E402 - started as a file, as settings_page.py

FOLDER = ROOT / "schemas"


def files() -> Mapping[str, str]:
    """Return the schemas as they have to be, by the names of their files."""
    return {kind.file: json.dumps(kind.schema(), indent=2, ensure_ascii=False) + "\n" for kind in KINDS}


def main(arguments: list[str]) -> int:
    """Write the schemas, or say whether they are fresh; 1 when one is not."""
    if arguments == ["--write"]:
        FOLDER.mkdir(exist_ok=True)
        for name, text in files().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")}
    if found == files():
        return 0
    print("schemas/ is not what the models of policies, drivers and agents say. Run: make pages")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
