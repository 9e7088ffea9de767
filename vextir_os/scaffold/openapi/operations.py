"""The operations of a document that a driver can be made of, and what keeps the others out. Pure."""

import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from vextir_os.driverkit.checks import ID_CHARS
from vextir_os.errors import UsageError, did_you_mean, shown
from vextir_os.scaffold.openapi.naming import prose, snake, unique, words
from vextir_os.scaffold.openapi.reading import Document

OPERATIONS = 200
"""Operations of one driver, at most."""

ALL = 3_000
"""Operations of a document, at most."""

Place = Literal["path", "query", "header"]
Style = Literal["multi", "comma", "space", "pipe", "deep"]
"""How a list or an object stands in a query: `a=1&a=2`, `a=1,2`, with a blank, with a bar, `a[b]=1`."""

Effect = Literal["pure", "idempotent", "keyed", "irreversible"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_EFFECTS: Mapping[str, Effect] = {
    "get": "pure",
    "head": "pure",
    "options": "pure",
    "put": "idempotent",
    "delete": "idempotent",
}
_TAKEN = frozenset({"call", "driver", "models", *vars(builtins)})
_PLACES: tuple[Place, ...] = get_args(Place)
_NAME_CHARS, _URL_CHARS = 34, 90
_KEY = "idempotency-key"
_OURS = frozenset({"accept", "content-type", "authorization", "host", "content-length", "connection", "cookie"})
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/{}-]{0,200}", re.ASCII)
_BAR: Mapping[str, Style] = {"spaceDelimited": "space", "pipeDelimited": "pipe", "deepObject": "deep"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: its name on the wire, where it goes, its schema."""

    name: str
    place: Place
    required: bool
    schema: Any
    style: Style
    about: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        name: Its Python name, unique in the document.
        id: What the document calls it; may be empty.
        method: `GET`.
        path: `/pets/{petId}`, each of its parameters among `parameters`.
        body: Schema of its JSON body; None without one.
        answer: Schema of its JSON answer; None when the document has none.
        schemes: Names of the security schemes that it asks for.
    """

    name: str
    id: str
    method: str
    path: str
    about: str
    parameters: Sequence[Parameter]
    body: Any
    body_required: bool
    answer: Any
    schemes: Sequence[str]
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a document has: operations, and one line for each that is left out."""

    operations: Sequence[Operation]
    left_out: Sequence[str]


class _LeftOutError(Exception):
    """Why no driver can be made of an operation."""


def find_operations(document: Document, api: str, only: Sequence[str], schemes: Sequence[str]) -> Found:
    """Return the operations that are asked for.

    Args:
        document: Where they are.
        api: Name of the driver; together with it, the name of an operation is an id.
        only: Their ids, or names as we make them; all when empty.
        schemes: Names of the security schemes that a driver can carry out.

    Raises:
        UsageError: None has such a name, one of them cannot be made, or there are too many.
        ApiDocumentError: A reference leads nowhere, or there is no operation at all.
    """
    limit = min(_NAME_CHARS, ID_CHARS - len(api) - len("._9999"))
    names: set[str] = set()
    operations: list[Operation] = []
    left: dict[str, str] = {}
    for number, (path, method, item, operation) in enumerate(_all(document)):
        if number == ALL:
            raise document.problem(f"there are more than {ALL} operations", "paths", "Keep those that are needed")
        own = operation.get("operationId")
        id_ = own if isinstance(own, str) else ""
        plain = snake(id_ or f"{method} {path}", "operation", limit)
        name = unique(f"{plain}_" if plain in _TAKEN else plain, names)
        names.add(name)
        if only and id_ not in only and name not in only:
            left[name] = ""
            continue
        try:
            operations.append(_operation(document, name, id_, path, method, item, operation, schemes))
        except _LeftOutError as reason:
            left[name] = f"{method.upper()} {prose(path, 60)} is left out: {reason}"
    _check_only(only, operations, left)
    if not operations:
        hint = "; ".join(list(filter(None, left.values()))[:3]) or "It needs `paths` with operations"
        raise document.problem("there is no operation that a driver can be made of", "paths", hint)
    if len(operations) > OPERATIONS:
        hint = f"Choose with --only, at most {OPERATIONS}"
        raise UsageError(f"the document has {len(operations)} operations", hint=hint)
    return Found(operations=operations, left_out=[line for line in left.values() if line])


def _all(document: Document) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    paths = document.value.get("paths")
    for path, value in paths.items() if isinstance(paths, Mapping) else ():
        item = document.followed(value)
        for method in _METHODS if isinstance(item, Mapping) else ():
            operation = item.get(method)
            if isinstance(operation, Mapping):
                yield path, method, item, operation


def _operation(
    document: Document,
    name: str,
    id_: str,
    path: str,
    method: str,
    item: Mapping[str, Any],
    operation: Mapping[str, Any],
    schemes: Sequence[str],
) -> Operation:
    if not _PATH.fullmatch(path):
        raise _LeftOutError("its path is none of plain ASCII")
    parameters = _parameters(document, [*_listed(item), *_listed(operation)])
    if {*re.findall(r"\{([^{}]*)\}", path)} != {one.name for one in parameters if one.place == "path"}:
        raise _LeftOutError("its path and its path parameters do not fit")
    body, required = _body(document, operation)
    keyed = any(one.place == "header" and one.name.lower() == _KEY for one in parameters)
    return Operation(
        name=name,
        id=id_,
        method=method.upper(),
        path=path,
        about=prose(operation.get("summary") or operation.get("description"), 60),
        parameters=parameters,
        body=body,
        body_required=required,
        answer=_answer(document, operation),
        schemes=_schemes(document, operation, schemes),
        effect=_EFFECTS.get(method, "keyed" if keyed else "irreversible"),
    )


def _listed(holder: Mapping[str, Any]) -> list[Any]:
    found = holder.get("parameters")
    return found if isinstance(found, list) else []


def _parameters(document: Document, values: Sequence[Any]) -> list[Parameter]:
    """Return the parameters; one of an operation stands in for that of its path."""
    found: dict[tuple[str, str], Parameter] = {}
    for value in values:
        raw = document.followed(value)
        raw = raw if isinstance(raw, Mapping) else {}
        name = raw.get("name")
        place = next((one for one in _PLACES if one == raw.get("in")), None)
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise _LeftOutError("a parameter has no name")
        required = raw.get("required") is True
        if place is None:
            if required:
                raise _LeftOutError(f"it needs a parameter in {prose(raw.get('in'), 20) or 'nowhere'}")
            continue
        if place == "header" and (name.lower() in _OURS or not _HEADER.fullmatch(name)):
            if required and name.lower() not in _OURS:
                raise _LeftOutError("a header has a name that cannot be sent")
            continue
        if "schema" not in raw and required:
            raise _LeftOutError("a parameter has no schema")
        found[name, place] = Parameter(
            name=name,
            place=place,
            required=required or place == "path",
            schema=raw.get("schema", {}),
            style=_BAR.get(
                str(raw.get("style")), "comma" if raw.get("explode") is False or place != "query" else "multi"
            ),
            about=raw.get("description"),
        )
    return list(found.values())


def _body(document: Document, operation: Mapping[str, Any]) -> tuple[Any, bool]:
    if "requestBody" not in operation:
        return None, False
    found = document.followed(operation["requestBody"])
    raw: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    content = raw.get("content")
    schema = _json_of(content)
    if schema is None:
        kinds = ", ".join(prose(kind, 40) for kind in list(content)[:3]) if isinstance(content, Mapping) else "nothing"
        raise _LeftOutError(f"its body is {kinds or 'nothing'}, not JSON")
    return schema, raw.get("required") is True


def _answer(document: Document, operation: Mapping[str, Any]) -> Any:
    found = operation.get("responses")
    responses: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    for status in ("200", "201", "202", "2XX", "default"):
        response = document.followed(responses.get(status))
        if isinstance(response, Mapping):
            return _json_of(response.get("content"))
    return None


def _json_of(content: Any) -> Any:
    """Return the schema of the JSON form of a content; None without one."""
    for kind, value in content.items() if isinstance(content, Mapping) else ():
        plain = kind.partition(";")[0].strip().lower()
        if (plain == "application/json" or plain.endswith("+json")) and isinstance(value, Mapping):
            return value.get("schema", {})
    return None


def _schemes(document: Document, operation: Mapping[str, Any], known: Sequence[str]) -> list[str]:
    """Return the schemes of the first way to prove who we are that a driver can go; none where none is needed."""
    ways = operation.get("security", document.value.get("security"))
    if not isinstance(ways, list) or not ways:
        return []
    for way in ways:
        if isinstance(way, Mapping) and all(scheme in known for scheme in way):
            return list(way)
    raise _LeftOutError("it asks for a way to prove who one is that is not carried out here")


def _check_only(only: Sequence[str], operations: Sequence[Operation], left: Mapping[str, str]) -> None:
    """Say that an operation which was asked for is not there, or cannot be made. Raises `UsageError`."""
    there = {name for one in operations for name in (one.id, one.name)}
    for name in only:
        if name in there:
            continue
        why = left.get(name) or left.get(snake(name, "operation"))
        hint = why or did_you_mean(name, [*there, *left]) or "Leave --only out to see which there are"
        raise UsageError(f"no driver is made of the operation {shown(name)}", hint=hint)


def base_url(document: Document) -> str:
    """Return the address of the first server; empty where it is none that a driver may have as its own."""
    servers = document.value.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else None
    url = first.get("url") if isinstance(first, Mapping) else None
    if not isinstance(url, str) or not isinstance(first, Mapping):
        return ""
    variables = first.get("variables")
    for name, variable in variables.items() if isinstance(variables, Mapping) else ():
        default = variable.get("default") if isinstance(variable, Mapping) else None
        url = url.replace(f"{{{name}}}", default if isinstance(default, str) else "")
        if len(url) > _URL_CHARS:
            return ""
    url = url.rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    plain = len(url) <= _URL_CHARS and re.fullmatch(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/-]*)?", url, re.ASCII)
    return url if plain and host and not parts.username else ""


def api_name(document: Document) -> str:
    """Return what a driver of the document would be called: after its title."""
    info = document.value.get("info")
    title = info.get("title") if isinstance(info, Mapping) else ""
    plain = [word for word in words(title if isinstance(title, str) else "") if word not in ("api", "the", "openapi")]
    return snake(" ".join(plain), "service", 24)
