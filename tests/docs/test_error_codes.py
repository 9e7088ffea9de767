"""Codes of errors are stable: people search for them, and programs compare them."""

import re
from collections import Counter
from pathlib import Path

from tests.support.errors import error_classes

GOLDEN = Path(__file__).parents[1] / "golden" / "error_codes.txt"


def test_no_code_is_used_twice() -> None:
    codes = Counter(cls.code for cls in error_classes().values())
    assert [code for code, times in codes.items() if times > 1] == []
    assert [code for code in codes if not re.fullmatch(r"VX\d{3}", code)] == []


def test_every_class_has_a_code_of_its_own() -> None:
    assert [name for name, cls in error_classes().items() if "code" not in vars(cls)] == []


def test_the_list_of_codes_only_grows() -> None:
    """A new class adds its line. A line that is there stays: who changes or removes one breaks somebody's program."""
    now = [f"{cls.code} {name}" for name, cls in error_classes().items()]
    kept = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert now == kept, "a new code needs its line in tests/golden/error_codes.txt, in the order of the codes"
