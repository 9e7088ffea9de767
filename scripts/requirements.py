"""Requirements of Azure Functions and of new projects, exported from uv.lock: written by `--write`, else checked."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")
FILE = ROOT / "requirements.txt"
RUN = ROOT / "vextir_os" / "scaffold" / "requirements.lock"
TEST = ROOT / "vextir_os" / "scaffold" / "requirements-test.lock"
# Without --extra an extra is dropped: each one that runs on Azure is named.
COMMAND = "export --frozen --no-dev --extra azure --extra openai --extra anthropic --extra mcp --no-emit-project"
PLAIN = "export --frozen --no-dev --no-emit-project"


def exported(uv: Path = UV, command: str = COMMAND) -> str:
    """Return what uv.lock gives, without network. The header names the command as a person would type it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "requirements.txt"
        subprocess.run([uv, *command.split(), "--quiet", "-o", target], cwd=ROOT, check=True)
        return target.read_text(encoding="utf-8").replace(str(target), "requirements.txt")


def beyond(more: str, base: str) -> str:
    """Return the requirements of one export that another does not have: who installs both must not meet one twice."""
    there = set(_blocks(base))
    return "".join(block for block in _blocks(more) if block not in there)


def fresh(uv: Path = UV) -> dict[Path, str]:
    """Return what each file should hold."""
    head = "# Made of uv.lock by `make requirements`.\n"
    plain = exported(uv, f"{PLAIN} --no-annotate --no-header")
    test = exported(uv, f"{PLAIN} --no-annotate --no-header --extra testing")
    return {FILE: exported(uv), RUN: head + plain, TEST: head + beyond(test, plain)}


def _blocks(text: str) -> list[str]:
    """Return each requirement with its lines of hashes."""
    blocks: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(" ") and blocks:
            blocks[-1] += line
        else:
            blocks.append(line)
    return blocks


def main(arguments: list[str]) -> int:
    """Write the files, or say which is not fresh; 1 when one is not."""
    wanted = fresh()
    if arguments == ["--write"]:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what uv.lock exports. Run: make requirements")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
