"""`make sabotage`: plants every fault, one after the other, and prints which test found it. Ends with 1 if one was not.

Words behind it choose faults by a part of their name.
"""

import sys
import tempfile
from pathlib import Path

from tests.sabotage.faults import PLANTED
from tests.sabotage.planted import copy_of_the_os, noticed_by, plant, run
from tests.sabotage.promises import IN_THE_WORDS_OF_THE_ISSUE


def main(words: list[str]) -> int:
    """Return 0 when every fault was found, else 1."""
    chosen = [fault for fault in PLANTED if not words or any(word in fault.name for word in words)]
    issue = {name: promise for promise, name in IN_THE_WORDS_OF_THE_ISSUE.items()}
    left = []
    for fault in chosen:
        with tempfile.TemporaryDirectory() as folder:
            copy_of_the_os(Path(folder))
            plant(Path(folder), fault)
            found = noticed_by(run(Path(folder), *fault.caught_by))
        said = f"{fault.name} ({issue[fault.name]})" if fault.name in issue else fault.name
        say(f"{'found' if found else 'MISSED':<7} {said}", f"        {fault.file}: {found or fault.caught_by}")
        if not found:
            left.append(fault.name)
    say(f"{len(chosen) - len(left)} of {len(chosen)} planted faults were found")
    return 1 if left else 0


def say(*lines: str) -> None:
    """Write lines at once: a fault takes seconds."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
