"""requirements.txt for Azure Functions, exported from uv.lock: written with `--write`, otherwise checked."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "requirements.txt"
UV = Path(sys.executable).with_name("uv")
# Without --extra an extra is dropped: each one that runs on Azure is named.
COMMAND = "export --frozen --no-dev --extra azure --extra openai --extra anthropic --extra mcp --no-emit-project"


def exported(uv: Path = UV) -> str:
    """Return what uv.lock gives, without network. The header names the command as a person would type it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "requirements.txt"
        subprocess.run([uv, *COMMAND.split(), "--quiet", "-o", target], cwd=ROOT, check=True)
        return target.read_text(encoding="utf-8").replace(str(target), "requirements.txt")


def main(arguments: list[str]) -> int:
    """Write the file, or say whether it is fresh; 1 when it is not."""
    fresh = exported()
    if arguments == ["--write"]:
        FILE.write_text(fresh, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == fresh:
        return 0
    print("requirements.txt is not what uv.lock exports. Run: make requirements")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
