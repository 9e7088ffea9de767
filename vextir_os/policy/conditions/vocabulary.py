"""The words of conditions: roots, functions, methods, with how many arguments each takes. Data only."""

from collections.abc import Mapping

ROOTS = frozenset(
    {"event", "user", "tenant", "driver", "capability", "action", "resource", "args", "run", "context", "now"}
)
"""What a condition may speak of. Whatever is absent for an action is missing, and never the ground of an allow."""

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "len": (1, 1), "any": (1, 1), "all": (1, 1), "sum": (1, 1), "min": (1, 16), "max": (1, 16), "abs": (1, 1),
    "round": (1, 2), "bool": (1, 1), "str": (1, 1), "int": (1, 1), "float": (1, 1), "set": (0, 1), "list": (0, 1),
    "sorted": (1, 1), "has": (1, 1), "matches": (2, 2), "like": (2, 2), "fold": (1, 1), "hour": (1, 2),
    "weekday": (1, 2),
}  # fmt: skip
"""Functions, and how many arguments they take, from and to."""

LOOPING = frozenset({"any", "all", "sum", "min", "max", "set", "list", "sorted"})
"""Functions that take a generator, `any(x > 3 for x in event.data.sizes)`."""

LITERAL = frozenset({"matches", "like", "hour", "weekday"})
"""Functions whose second argument is a text that stands in the condition: it is checked when the policy is loaded."""

TEXT_METHODS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(
        ("lower", "upper", "casefold", "isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace"), (0, 0)
    ),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), (0, 1)),
    **dict.fromkeys(("startswith", "endswith", "removeprefix", "removesuffix", "find", "count"), (1, 1)),
    "split": (0, 2),
}
DICT_METHODS: Mapping[str, tuple[int, int]] = {"get": (1, 2), "keys": (0, 0), "values": (0, 0), "items": (0, 0)}
METHODS: Mapping[str, tuple[int, int]] = {**TEXT_METHODS, **DICT_METHODS}
"""Methods of texts and of dicts, and how many arguments they take, from and to."""
