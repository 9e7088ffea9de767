"""docs/settings.md, written from the settings themselves with `--write`, otherwise checked."""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vextir_os.settings.model import DEFAULTS, MEANINGS  # noqa: E402 - started as a file, the project is not on the path
from vextir_os.settings.sources import variable  # noqa: E402

PAGE = ROOT / "docs" / "settings.md"
INTRODUCTION = """\
# Settings

A process needs none of them on a laptop. They are read at the start from `vextir.toml` in the project and from the
environment, which wins; all problems are named together. In the file a setting has its name in small letters without
`VEXTIR_`, and relative paths start from the project:

```toml
port = 8400
min_free_disk = "2GB"
trusted_sources = ["/cli", "/api", "/mail/*"]
```

`vextir config` shows what is set to what and where that comes from, `vextir config get port` one of them, and
`vextir config check` says whether all of it can be used. `--host` and `--port` of `vextir dev` win over both.
"""
HEAD = ("variable", "type", "default", "range", "what it does", "what it risks")


def page() -> str:
    """Return the page as it has to be."""
    return INTRODUCTION + "\n" + "\n".join(_table()) + "\n"


def _table() -> Iterator[str]:
    yield _row(HEAD)
    yield _row(["---"] * len(HEAD))
    for name, meaning in MEANINGS.items():
        kind = meaning.kind
        default = kind.show(DEFAULTS[name]) if name in DEFAULTS else ""
        shown = f"`{default}`" if default else meaning.unset
        yield _row([f"`{variable(name)}`", kind.name, shown, kind.takes, meaning.does, meaning.risks])


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is fresh; 1 when it is not."""
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/settings.md is not what vextir_os/settings/model.py says. Run: make pages")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
