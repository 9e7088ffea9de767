#!/bin/sh
# Finds a Python that fits and hands over to setup.py, which needs 3.11. `PYTHON` names one; an existing .venv
# comes next, then what stands in PATH.
set -eu
cd "$(dirname "$0")/.."

# Prints nothing when the Python fits, otherwise why it does not.
misfit() {
    "$1" -I -c '
import sys
found = "%d.%d.%d" % sys.version_info[:3]
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    print("is Python " + found)
    sys.exit()
try:
    import ensurepip, venv
except ImportError:
    print("is Python %s without the venv module (Debian: apt install python%d.%d-venv)" % ((found,) + sys.version_info[:2]))
' 2>/dev/null || echo "does not run"
}

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
elif [ -x .venv/bin/python ] && [ -z "$(misfit .venv/bin/python)" ]; then
    set -- .venv/bin/python
else
    set -- python3 python3.13 python3.12 python3.11
fi

tried=""
for candidate do
    command -v "$candidate" >/dev/null 2>&1 || {
        [ -z "${PYTHON:-}" ] || tried="
  $candidate is not found"
        continue
    }
    why=$(misfit "$candidate")
    [ -n "$why" ] || exec "$candidate" -I -B scripts/setup.py
    tried="$tried
  $candidate $why"
done

cat >&2 <<MESSAGE
setup: no Python found that fits. Vextir OS needs Python 3.11, 3.12 or 3.13 with its venv module; tried:${tried:-
  nothing named python3 stands in PATH}
Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13)
or name one: make setup PYTHON=/path/to/python3
MESSAGE
exit 1
