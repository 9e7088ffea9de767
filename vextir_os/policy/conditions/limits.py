"""How large a condition, its data and its work may be. Data only."""

SOURCE_CHARS = 4_096
"""Characters of a condition, at most."""

NODES = 400
"""Parts of a condition, at most."""

DEPTH = 40
"""Levels of a condition, and of its brackets, at most."""

TEXT_CHARS = 1_024
"""Characters of a text that stands in a condition, at most."""

ELEMENTS = 200
"""Elements of a list, tuple, set or dict that stands in a condition, at most."""

TERMS = 5
"""Terms of one comparison such as `1 < x < 9`, at most."""

LOOPS = 2
"""Comprehensions of a condition; `for` of one; `if` of one: at most."""

STEPS = 60_000
"""Steps of one evaluation, at most: turns of loops times the parts that each turn works through, and characters."""

CHARS_PER_STEP = 64
"""Characters that one step pays for."""

SUM_CHARS = 262_144
"""Characters of a text made by `+`, at most."""

INT64 = 2**63
"""Whole numbers reach from -INT64 to INT64 - 1."""

DATA_DEPTH = 64
"""Levels of the data that a condition is asked about, at most."""

DATA_PARTS = 100_000
"""Parts of the data, at most."""

DATA_CHARS = 4_000_000
"""Characters of all texts of the data, at most."""
