"""Expressions that want out, in families: each has to be refused when it is loaded. Data only."""
# ruff: noqa: RUF001 - letters that look like others are what is tested

from collections.abc import Iterator, Mapping, Sequence

_DUNDERS = (
    "__class__", "__bases__", "__base__", "__mro__", "__subclasses__", "__globals__", "__builtins__", "__dict__",
    "__init__", "__code__", "__closure__", "__func__", "__self__", "__module__", "__import__", "__getattribute__",
    "__reduce__", "__reduce_ex__", "__del__", "__call__", "__loader__", "__spec__", "__wrapped__", "__doc__",
    "__format__", "__getitem__", "__sizeof__", "__new__", "__hash__", "__eq__", "_private", "_", "__",
)  # fmt: skip
_BASES = ("event", "event.data", "user", "now", '""', "()", "[]", "{}", "1", "1.5", "None", "True", '"a".lower()')
_FRAMES = ("gi_frame", "gi_code", "cr_frame", "f_globals", "f_locals", "f_back", "tb_frame", "co_consts")
_BUILTINS = (
    "eval", "exec", "compile", "open", "__import__", "getattr", "setattr", "delattr", "hasattr", "vars", "dir",
    "globals", "locals", "type", "object", "super", "isinstance", "issubclass", "callable", "id", "hash", "repr",
    "ascii", "format", "print", "input", "breakpoint", "exit", "quit", "help", "memoryview", "bytearray", "bytes",
    "classmethod", "staticmethod", "property", "map", "filter", "reduce", "zip", "enumerate", "range", "reversed",
    "slice", "iter", "next", "frozenset", "dict", "tuple", "complex", "chr", "ord", "hex", "oct", "bin", "divmod",
    "pow", "copyright", "credits", "license", "NotImplemented", "Ellipsis", "__build_class__", "__name__",
    "__builtins__", "__debug__", "_path", "_eq", "_f_len", "_m_lower", "_s", "_k0", "self", "os", "sys",
)  # fmt: skip
_METHODS = (
    "format", "format_map", "join", "replace", "encode", "translate", "zfill", "ljust", "rjust", "center",
    "expandtabs", "maketrans", "rsplit", "splitlines", "partition", "rpartition", "swapcase", "title", "capitalize",
    "index", "rindex", "rfind", "isidentifier", "isprintable", "isdecimal", "isnumeric", "istitle", "isascii",
    "pop", "popitem", "update", "clear", "setdefault", "fromkeys", "copy", "append", "extend", "insert", "remove",
    "sort", "reverse", "add", "discard", "union", "mro", "send", "throw", "close", "astimezone", "strftime",
    "timestamp", "utctimetuple", "as_integer_ratio", "bit_length", "to_bytes", "from_bytes", "hex", "fromhex",
    "conjugate", "is_integer", "tzinfo", "fold", "hour", "weekday",
)  # fmt: skip

FAMILIES: Mapping[str, Sequence[str]] = {
    "a walk over attributes": [f"{base}.{name}" for base in _BASES for name in _DUNDERS[:12]],
    "a field that begins with an underscore": [f"event.data.{name}" for name in _DUNDERS],
    "a call of what an object has": [f"event.{name}()" for name in _DUNDERS],
    "a frame": [f"(x for x in event.data).{name}" for name in _FRAMES],
    "a builtin": [f'{name}("1")' for name in _BUILTINS],
    "a builtin without a call": list(_BUILTINS),
    "a method that is not in the table": [f"event.type.{name}()" for name in _METHODS],
    "a format": [
        '"{0.__class__}".format(event)', '"%s" "{}".format(event)', 'f"{event}"', 'f"{event.__class__}"',
        'f"{(lambda: 1)()}"', 'f"{event!r:>{9**9}}"', '"{:>9999999999}".format(1)', 'rf"{event}"', 'F"{1}"',
        '"{a.b}".format_map(event)', 'str.format("{0}", event)', '"".join(["a"])', '"a".__mod__(1)',
    ],
    "a statement or another form": [
        "import os", "from os import system", "del event", "event = 1", "event.x = 1", "event['x'] = 1", "x := 1",
        "(x := 1)", "any((y := x) for x in event.data)", "lambda: 1", "(lambda: 1)()", "(lambda x=event: x)()",
        "yield", "(yield 1)", "(yield from event)", "await event", "(await event)", "async for x in y", "return 1",
        "pass", "raise event", "assert event", "global event", "nonlocal event", "print 1", "exec 'x'", "`1`",
        "event; 1", "1\n2", "def f(): pass", "class A: pass", "with event: pass", "while 1: pass", "if 1: pass",
        "for x in event: pass", "try: pass", "match event:", "@event", "...", "event[...]", "[...]", "b'x'", "B'x'",
        "rb'x'", "b'a' b'b'", "1j", "0j + 1", "3.5j", "event if event", "not", "and", "event and", "== 1", "1 ==",
        "event..x", "event.", ".event", "event[", "event]", "event)", "(event", "{event", "event}", "[1,2", "1,,2",
        "event event", "event 1", "'a", '"a', "'''a", '"""a', "'a\nb'", "# only words", "", " ", "\n", "\t",
    ],
    "an operator that is not there": [
        "2 ** 9", "9**9**9**9", "event.data.x ** 2", "1 << 2", "1 << 999999999", "1 >> 2", "1 | 2", "1 & 2", "1 ^ 2",
        "~1", "+1", "+event.data.x", "event @ user", "event is user", "1 is 1", "event is not user", "event is True",
        "not event is 1", "1 is None is None", "None is event", "a <> b", "!event", "event && user", "event || user",
        "event ? 1 : 2", "event === 1", "event++", "1 < 2 < 3 < 4 < 5 < 6", "1 == 1 == 1 == 1 == 1 == 1",
    ],
    "an argument that is not there": [
        "len(*event.data)", "len(**event.data)", "len(event, key=1)", "len()", "len(1, 2)", "any()", "max(key=len)",
        "max([1], default=2)", "sorted([1], key=len)", "sorted([1], reverse=True)", "round(1, ndigits=2)",
        "int('1', base=2)", "int('1', 36)", "sum([1], 2)", "str(b'x', 'utf-8')", "str('x', 'y')", "set(1, 2)",
        "has()", "has(1)", "has('a')", "has(len(event))", "has(event.data, 1)", "has([1])", "bool(1, 2)",
        "float(1, 2)", "abs(1, 2)", "event.data.get()", "event.data.get(1, 2, 3)", "event.data.items(1)",
        "event.type.lower(1)", "event.type.split(1, 2, 3)", "event.type.find()", "event.type.find('a', 1)",
        "event.type.startswith('a', 1)", "event.type.count('a', 1, 2)", "event.type.strip('a', 'b')",
        "matches(event.type)", "matches('a', event.type)", "matches('a', 'b' + 'c')", "matches('a', 1)",
        "matches('a', None)", "like('a', event.type)", "like('a')", "like('a', 1)", "hour(now, event.type)",
        "hour(now, 1)", "hour(now, 'Mars/Base')", "hour(now, '../../etc/passwd')", "hour(now, '/etc/localtime')",
        "hour(now, '')", "hour()", "weekday(now, 'nowhere')", "weekday()", "hour(now, 'UTC', 1)",
    ],
    "a loop that is not there": [
        "{k: v for k, v in event.data}", "[x async for x in event.data]", "(x for x in event.data)",
        "len(x for x in event.data)", "[event for event in user]", "[len for len in user]", "[_x for _x in user]",
        "[__class__ for __class__ in user]", "[x for x.y in user]", "[x for x[0] in user]",
        "[x for (x, (y, z)) in user]",
        "[x for x, x in user]", "[x for *x, y in user]", "[x for () in user]", "[y for x in user]", "[x for x in x]",
        "[x for x in user for x in user]", "[[x for x in y] for x in user for y in user]",
        "[a for a in user for b in user for c in user]", "[a for a in user if a if a if a]",
        "[1 for a in user] + [1 for b in user] + [1 for c in user]",
        "any(any(any(a for a in b) for b in c) for c in user)",
        "any(a for a in user) or all(b for b in user) or any(c for c in user)", "[x for x in user if (y := x)]",
        "[x for x in (lambda: user)()]", "event.data.get(x for x in user)", "str(x for x in user)", "x for x in user",
    ],
    "a look-alike": [
        "ｅvent.type", "event．type", "eᵥent", "event.ｔype", "ｌen(event)", "ⅼen(event)", "event.__ｃlass__",
        "＿＿import＿＿",
        "е", "еvent", "event.dаta", "user․id", "event\u200b.type", "event\u00a0.type", "event\u2028.type",
        "\ufeffevent", "event.type\u0000", "event\x0c.type", "event\x0b.type", "event\x1a", "event\x7f", "event\x85",
        "１ == 1", "1 ＝＝ 1", "event ≠ 1", "“a” == 1", "event.type == ‘a’", "event \U0001d5ba", "𝒆vent", "ªbc", "ﬁ",
        "\ud800", "'\ud800'", "'\udfff' == event.type", "'a\x00b'", "'\\ud800'", "'\\udc00' in event.type",
        "'\\U0000d800'", "event # \u200b", "event # \ud800",
    ],
    "a constant that is too large": [
        "9223372036854775808 > 1", "-9223372036854775809 < 1", "0x10000000000000000 > 1", "1" + "0" * 30 + " > 1",
        "1e999 > 1", "-1e999 < 1", "1e309 == 1e309", "'" + "a" * 1_025 + "'", "event.type == '" + "é" * 1_025 + "'",
        "9" * 4_000, "0b" + "1" * 65, "1_000_000_000_000_000_000_000 > 1", "event[99999999999999999999]",
        "event.type[:99999999999999999999]", "event.type[99999999999999999999:]",
    ],
    "a slice that is not there": [
        "event.type[::2]", "event.type[::-1]", "event.type[1:2:3]", "event.type[event.x:]", "event.type[:len(event)]",
        "event.type[:1+1]", "event.type['a':]", "event.type[1.5:]", "event.type[None:1]", "event.type[1:2, 3]",
        "event[1:2,]", "event.type[True:]", "event[*user]", "event[:, 1]",
    ],
    "a whole that is too large": [
        "event " * 2_000, "1" + " + 1" * 500, "[" + "1," * 201 + "]", "(" + "1," * 201 + ")", "{" + "1," * 201 + "}",
        "{" + ",".join(f"{n}: 1" for n in range(201)) + "}",
        "not " * 1_000 + "event", "-" * 4_000 + "1", "- " * 41 + "1",
        "(" * 41 + "1" + ")" * 41, "[" * 41 + "]" * 41, "{" * 41 + "}" * 41, "(" * 4_000, "[" * 2_000 + "]" * 2_000,
        "event" + ".a" * 1_500, "event" + "[0]" * 1_000, "event" + ".lower()" * 400, "1 if 1 else " * 300 + "1",
        "event.a and (" * 41 + "1" + ")" * 41, "len(" * 41 + "event" + ")" * 41, "'a' " * 1_500, "x" * 4_097,
        "'" + "a" * 4_096 + "'", "\n" * 4_097, "#" * 4_097, "1 == " * 800 + "1", "a.b" * 2_000, "~" * 4_000,
        "event or " * 401 + "event",
    ],
    "brackets that do not fit": ["1) or (1", ") or (", "(1]", "[1)", "{1)", "event)(", "(event))", "((event)", "'(' )"],
    "a pattern that RE2 refuses": [
        f"matches(event.type, {pattern!r})"
        for pattern in (
            r"(a)\1", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?P=x)", "(?>a)", "a++", "(?(1)a|b)", "[a", "(a", "a)",
            "*a", "+", "?", "a{1001}", "(((a{1,100}){1,100}){1,100})", "(a{500}){500}", r"\Z",
            r"\N{DIGIT ONE}", "[b-a]", "(?x)a",
        )
    ],
    "several values instead of one": [
        "event.type == 1,", "event.type == 1, user.id == 2", "1,", "event,", "event.type == 'a',\nuser.id == 'b'",
    ],
}  # fmt: skip


def refused() -> Iterator[tuple[str, str]]:
    """Yield family and expression of all of them."""
    for family, expressions in FAMILIES.items():
        for expression in expressions:
            yield family, expression
