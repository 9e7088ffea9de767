"""Lists over HTTP: dead letters and runs, a page at a time, and one of each in full. Read only."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from vextir_os.api import contract
from vextir_os.api.acts import not_found
from vextir_os.api.answers import add_get, json_of
from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import InvalidRequestError, NotFoundError, PatternError, did_you_mean, shown
from vextir_os.events.names import check_pattern
from vextir_os.kernel import Kernel
from vextir_os.runs import letters, reading, runlist
from vextir_os.runs.deadletter import OPEN, STATES
from vextir_os.runs.paging import LIMIT, Listed

PAGE = 50
"""Events or dead letters on a page, where nothing else is said."""


class ListRoutes:
    """The routes, over one kernel.

    Args:
        kernel: The OS behind them.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._tenant = kernel.settings.tenant

    def add_to(self, app: FastAPI) -> None:
        """Add them."""
        wrong = contract.problems(400, 401, 503)
        page = contract.answer("A page, the newest first", contract.page_of("dead", contract.DEAD_LETTER))
        asked = _parameters("state", "driver", "type", "class", "group")
        add_get(app, "/v1/dead", self._dead, "List dead letters", {200: page, **wrong}, asked)
        one = contract.answer("The dead letter", contract.DEAD_LETTER)
        missing = contract.problems(401, 404, 503)
        add_get(app, "/v1/dead/{letter_id}", self._letter, "Read a dead letter", {200: one, **missing})
        page = contract.answer("A page, the newest events first", contract.page_of("runs", contract.RUN))
        asked = _parameters("state", "driver", "type")
        add_get(app, "/v1/runs", self._runs, "List runs", {200: page, **wrong}, asked)
        of_event = contract.answer("All runs of an event, in full", {"type": "object"})
        add_get(app, "/v1/runs/{event_id:path}", self._event, "Read the runs of an event", {200: of_event, **missing})

    async def _dead(self, request: Request) -> Response:
        asked = _asked(request, ("state", "driver", "type", "class", "group"))
        states = (OPEN, *STATES.values(), "all")
        state = _one_of("state", asked.get("state", OPEN), states)
        wanted = letters.Wanted(
            state="" if state == "all" else state,
            driver=asked.get("driver", ""),
            type=_pattern(asked),
            kind=asked.get("class", ""),
            group=asked.get("group", ""),
        )
        try:
            page = await letters.page(
                self._kernel.store, self._tenant, wanted, limit=_limit(asked), after=asked.get("after", "")
            )
        except InvalidRequestError as error:
            raise _wrong(error.what) from None
        return _page("dead", page)

    async def _letter(self, letter_id: str) -> Response:
        try:
            return json_of(letters.letter_view(await self._kernel.dead_letters.find(letter_id, self._tenant)))
        except NotFoundError as error:
            raise not_found(error) from None

    async def _runs(self, request: Request) -> Response:
        asked = _asked(request, ("state", "driver", "type"))
        state = _one_of("state", asked["state"], runlist.STATES) if "state" in asked else ""
        wanted = runlist.Wanted(state=state, driver=asked.get("driver", ""), type=_pattern(asked))
        try:
            page = await runlist.page(
                self._kernel.store, self._tenant, wanted, limit=_limit(asked), after=asked.get("after", "")
            )
        except InvalidRequestError as error:
            raise _wrong(error.what) from None
        return _page("runs", page)

    async def _event(self, event_id: str) -> Response:
        record = await reading.find(self._kernel.store, self._tenant, event_id)
        if record is None:
            raise not_found(NotFoundError(f"no record of event {shown(event_id)}"))
        return json_of(runlist.runs_view(record))


def _page(name: str, page: Listed) -> Response:
    return json_of({name: page.items, "next": page.after})


def _asked(request: Request, known: tuple[str, ...]) -> Mapping[str, str]:
    known = (*known, "limit", "after")
    asked: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise _wrong(
                f"unknown parameter {shown(name)}", did_you_mean(name, known) or f"It takes {', '.join(known)}"
            )
        if name in asked:
            raise _wrong(f"{name} is given twice")
        asked[name] = value
    return asked


def _limit(asked: Mapping[str, str]) -> int:
    text = asked.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= LIMIT):
        raise _wrong(f"limit {shown(text)} is no number from 1 to {LIMIT}")
    return int(text)


def _pattern(asked: Mapping[str, str]) -> str:
    try:
        return check_pattern(asked["type"]) if "type" in asked else ""
    except PatternError as error:
        raise _wrong(error.what, error.hint) from None


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise _wrong(f"{name} {shown(value)} is none of {', '.join(known)}", did_you_mean(value, known))
    return value


def _wrong(detail: str, hint: str = "") -> RefusedError:
    return RefusedError(Problem(status=400, code=RefusedError.code, detail=detail, hint=hint))


def _parameters(*names: str) -> dict[str, Any]:
    texts = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in (*names, "after")]
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT}}
    return {"parameters": [*texts, limit]}
