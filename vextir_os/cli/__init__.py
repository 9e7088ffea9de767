"""The command line `vextir`. Its parts are imported when it runs: importing this package costs nothing."""

import sys


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    from vextir_os.cli.app import run

    sys.exit(run(sys.argv[1:]))
