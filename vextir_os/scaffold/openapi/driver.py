"""A driver out of an OpenAPI document: its files as text. Reads this package and the document; writes nothing.

What is fixed comes from templates. What comes from the document are `models.py`, the functions of `driver.py`, the
table of secrets in `client.py`, and data for the test, which stays data: `tests/test_<name>.json`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from vextir_os.scaffold.driver import place
from vextir_os.scaffold.names import check_driver
from vextir_os.scaffold.openapi.models import models_source
from vextir_os.scaffold.openapi.naming import camel, literal, prose, unique
from vextir_os.scaffold.openapi.operations import Operation, Parameter, api_name, base_url, find_operations
from vextir_os.scaffold.openapi.reading import Document
from vextir_os.scaffold.openapi.samples import NoSampleError, sample
from vextir_os.scaffold.openapi.security import Scheme, find_schemes
from vextir_os.scaffold.openapi.source import Group, Piece, laid_out, named
from vextir_os.scaffold.openapi.types import Types
from vextir_os.scaffold.templates import render

_EFFECTS = {
    "pure": "pure: asks, changes nothing",
    "idempotent": "idempotent: twice is as once",
    "keyed": "keyed: repeated under the same Idempotency-Key",
    "irreversible": "irreversible: never repeated by itself once it may have arrived",
}
_KEY = "idempotency-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A driver: its name, its files by path, and a line for each operation that was left out."""

    name: str
    files: Mapping[str, bytes]
    left_out: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """An operation with the type of its data: names of its fields by parameter, and that of its body."""

    operation: Operation
    model: str
    fields: Mapping[tuple[str, str], str]
    body: str

    def of(self, place_: str) -> list[tuple[str, Parameter]]:
        """Return the names in data of the parameters of one place."""
        return [(self.fields[one.place, one.name], one) for one in self.operation.parameters if one.place == place_]


def openapi_driver(document: Document, name: str = "", only: Sequence[str] = ()) -> Made:
    """Return a driver with one capability per operation.

    Args:
        document: What the service says of itself.
        name: Of the driver; by default after the title of the document.
        only: Ids of the operations that are wanted; all that can be made when empty.

    Raises:
        UsageError: The name is none, or an operation of `only` is not there or cannot be made.
        ApiDocumentError: No driver can be made of the document.
    """
    api = check_driver(name or api_name(document))
    schemes = find_schemes(document, api)
    found = find_operations(document, api, only, list(schemes))
    types = Types(document=document)
    bound = [_bind(types, one) for one in found.operations]
    info = document.value.get("info")
    title = prose(info.get("title") if isinstance(info, Mapping) else "", 60) or api
    url = base_url(document)
    used = [schemes[id_] for id_ in dict.fromkeys(id_ for one in bound for id_ in one.operation.schemes)]
    host = urlsplit(url).hostname or ""
    values = {
        "name": api,
        "title": title,
        "slug": api.replace("_", "-"),
        "setting": api.upper(),
        "base_url": literal(url),
        "secrets": laid_out(named("SECRETS: Mapping[str, Secret] = ", Group("{", [_secret(one) for one in used], "}"))),
        "functions": "\n\n".join(_function(api, one, schemes, host) for one in bound).rstrip("\n"),
        "operations": "\n".join(_row(api, one) for one in bound),
        "settings": "\n".join(_setting_rows(api, url, used)),
        "actions": "\n".join(
            f'        - "{verb}:{api}.{one.operation.name}"' for one in bound for verb in ("publish", "process")
        ),
        "answers": "\n".join(
            f'        - "{verb}:{api}.{one.operation.name}.answered"' for one in bound for verb in ("emit", "process")
        ),
        "outside": _allowed(api, _outside(host, used)),
        "retry": ", Retry" if any(one.operation.effect == "irreversible" for one in bound) else "",
        "ctx": "Context, " if any(one.operation.effect == "keyed" for one in bound) else "",
    }
    files = {place(file, api): content for file, content in render("openapi", values).items()}
    files[f"drivers/{api}/models.py"] = models_source(types, title).encode()
    calls = json.dumps(list(_calls(document, api, bound, schemes)), indent=2)
    files[f"tests/test_{api}.json"] = f"{calls}\n".encode()
    return Made(name=api, files=files, left_out=found.left_out)


def _bind(types: Types, operation: Operation) -> _Bound:
    made = types.begin(camel(operation.name, "Operation"), f"What {operation.name} takes")
    fields: dict[tuple[str, str], str] = {}
    for one in operation.parameters:
        key = unique(one.name, {*fields.values()})
        fields[one.place, one.name] = key
        keyed = one.place == "header" and one.name.lower() == _KEY
        type_ = types.of(one.schema, f"{made.name} {one.name}", 1)
        types.add(made, key, type_, required=one.required and not keyed, about=one.about)
    body = ""
    if operation.body is not None:
        body = unique("body", {*fields.values()})
        types.add(made, body, types.of(operation.body, f"{made.name} body", 1), required=operation.body_required)
    made.others = "forbid"
    return _Bound(operation=operation, model=made.name, fields=fields, body=body)


def _function(api: str, one: _Bound, schemes: Mapping[str, Scheme], host: str) -> str:
    operation = one.operation
    id_ = f"{api}.{operation.name}"
    permissions = [
        f"emit:{id_}.answered",
        *_outside(host, [schemes[id_] for id_ in operation.schemes]),
    ]
    options: list[Piece] = [
        literal(id_),
        'kind="tool"',
        named("capabilities=", Group("[", [literal(id_)], "]")),
        named("permissions=", Group("[", [literal(one) for one in permissions], "]")),
    ]
    if operation.effect == "pure":
        options.append('delivery="idempotent"')
    if operation.effect == "irreversible":
        options.append('retry=Retry(max_attempts=1, on={"throttled": Retry(max_attempts=5)})')
    decorator = "\n".join(["@driver(", *(f"    {laid_out(option, indent=4, behind=1)}," for option in options), ")"])
    keyed = operation.effect == "keyed"
    about = prose(f"{operation.about.rstrip('.') or operation.name}: {operation.method} {operation.path}", 100)
    arguments: list[Piece] = [literal(operation.method), literal(operation.path), "data"]
    arguments += [named(f"{place_}=", piece) for place_, piece in _places(one)]
    if one.body:
        arguments.append(f"body={literal(one.body)}")
    if operation.schemes:
        arguments.append(named("secrets=", Group("[", [literal(scheme) for scheme in operation.schemes], "]")))
    if keyed:
        arguments.append("key=ctx.event_id")
    call = "\n".join(
        ["    body = await call(", *(f"        {laid_out(one, indent=8, behind=1)}," for one in arguments), "    )"]
    )
    event = f"Event(type={literal(f'{id_}.answered')}, data=body)"
    result = laid_out(
        named("return ", Group("Result(", ["output=body", named("events=", Group("[", [event], "]"))], ")")), indent=4
    )
    takes = f"{'ctx: Context, ' if keyed else ''}data: models.{one.model}"
    return f'{decorator}\nasync def {operation.name}({takes}) -> Result:\n    """{about}."""\n{call}\n    {result}\n'


def _places(one: _Bound) -> Iterator[tuple[str, Piece]]:
    """Yield what goes into path, query and headers, by the name in data."""
    for place_, argument in (("path", "path"), ("query", "query"), ("header", "headers")):
        pairs = [(key, parameter) for key, parameter in one.of(place_)]
        parts: list[Piece] = []
        for key, parameter in pairs:
            wire = literal(parameter.name)
            value: Piece = Group("(", [wire, literal(parameter.style)], ")") if place_ == "query" else wire
            parts.append(named(f"{literal(key)}: ", value))
        if parts:
            yield argument, Group("{", parts, "}")


def _secret(scheme: Scheme) -> Piece:
    parts = [f"setting={literal(scheme.setting)}", f"way={literal(scheme.way)}"]
    parts += [f"name={literal(scheme.name)}"] if scheme.name else []
    return named(f"{literal(scheme.id)}: ", Group("Secret(", parts, ")"))


def _outside(host: str, used: Sequence[Scheme]) -> list[str]:
    return [*([f"http:{host}"] if host else []), *(f"secret:{scheme.setting}" for scheme in used)]


def _allowed(api: str, permissions: Sequence[str]) -> str:
    """Return the policy for what lies outside; empty where nothing is named."""
    if not permissions:
        return ""
    head = f"\n  - id: {api.replace('_', '-')}-reaches-its-service\n    effect: allow\n    match:\n      action:\n"
    listed = "\n".join(f'        - "{permission}"' for permission in permissions)
    return f'{head}{listed}\n      drivers: "{api}.*"\n'


def _row(api: str, one: _Bound) -> str:
    operation = one.operation
    call = f"{operation.method} {operation.path}"
    return f"| `{api}.{operation.name}` | `{call}` | {_EFFECTS[operation.effect]} |"


def _setting_rows(api: str, url: str, used: Sequence[Scheme]) -> Iterator[str]:
    shown = f"`{url}`" if url else "none: it has to be set"
    yield f"| `{api.upper()}_BASE_URL` | {shown} | where the service is; a host named here may be a private one |"
    for scheme in used:
        how = {"bearer": "a bearer token", "basic": "`user:password`"}.get(scheme.way, f"goes into the {scheme.way}")
        yield f"| `{scheme.setting}` | none: it has to be set | secret; {how} |"


def _calls(
    document: Document, api: str, bound: Sequence[_Bound], schemes: Mapping[str, Scheme]
) -> Iterator[Mapping[str, Any]]:
    """Yield a call of each operation for which data can be made up, and what the service is to be asked then."""
    for one in bound:
        operation = one.operation
        try:
            data = {one.fields[p.place, p.name]: sample(document, p.schema) for p in operation.parameters if p.required}
            if one.body and operation.body_required:
                data[one.body] = sample(document, operation.body)
            answer = sample(document, operation.answer) if operation.answer is not None else None
        except NoSampleError:
            continue
        if any(
            isinstance(data[key], (dict, list)) or data[key] in ("", None) for key, _ in one.of("path") if key in data
        ):
            continue
        path = operation.path
        for key, parameter in one.of("path"):
            path = path.replace(f"{{{parameter.name}}}", _text(data[key]))
        yield {
            "type": f"{api}.{operation.name}",
            "data": data,
            "method": operation.method,
            "path": path,
            "body": data.get(one.body) if one.body else None,
            "answer": answer,
            "secrets": [schemes[id_].setting for id_ in operation.schemes],
        }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
