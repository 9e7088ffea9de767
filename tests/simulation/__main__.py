"""`python -m tests.simulation SEED`: play it and show all; `FIRST LAST`: play many, show the first bad one."""

import sys

from tests.simulation.play import find, play


def main(arguments: list[str]) -> int:
    """Return 1 when something is wrong, else 0."""
    numbers = [int(argument) for argument in arguments]
    played = play(numbers[0]) if len(numbers) == 1 else find(range(numbers[0], numbers[1] + 1))
    if played is None:
        print(f"seeds {numbers[0]} to {numbers[1]}: all is well")  # noqa: T201
        return 0
    print(played.report(1_000_000))  # noqa: T201
    return 1 if played.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
