"""What the exceptions of HTTP clients mean, whatever they say of themselves."""

import io
import urllib.error
from email.message import Message
from email.utils import formatdate
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.failures import InvalidError
from vextir_os.runs.failure import failure_of
from vextir_os.runs.upstream import told

NOW = 1_800_000_000.0


def httpx_error(status: int, **headers: str) -> httpx2.HTTPStatusError:
    request = httpx2.Request("GET", "https://api.example.com/x")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(status, headers=named, request=request)
    return httpx2.HTTPStatusError("it failed", request=request, response=response)


def urllib_error(status: int, **headers: str) -> urllib.error.HTTPError:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError("https://api.example.com/x", status, "it failed", message, io.BytesIO())


class SdkError(Exception):
    """As the SDKs of models and clouds build them: the status on the error, the headers on its response."""

    def __init__(self, status_code: Any, headers: Any = None, code: Any = None) -> None:
        super().__init__("it failed")
        self.status_code = status_code
        self.code = code
        self.response = type("Response", (), {"headers": headers})()


class HostileError(Exception):
    def __getattr__(self, name: str) -> Any:
        raise SystemExit(name)


def named(package: str, name: str) -> BaseException:
    """Return an exception of this package and name, which is not installed here."""
    error: BaseException = type(name, (Exception,), {"__module__": package})("no answer")
    return error


@pytest.mark.parametrize("make", [httpx_error, urllib_error, SdkError], ids=["httpx", "urllib", "sdk"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid"), (401, "permission"), (403, "permission"), (404, "invalid"), (407, "permission"),
     (408, "transient"), (409, "transient"), (410, "invalid"), (422, "invalid"), (425, "transient"),
     (429, "throttled"), (500, "transient"), (502, "transient"), (503, "transient"), (529, "transient")],
)  # fmt: skip
def test_a_status_says_whether_the_same_call_may_succeed_later(make: Any, status: int, kind: str) -> None:
    assert told(make(status), now=NOW) == (kind, None)
    failure = failure_of(make(status), now=NOW)
    assert (failure.kind, failure.detail["kind"], failure.detail["code"]) == (kind, kind, "VX400")


@pytest.mark.parametrize("make", [httpx_error, urllib_error], ids=["httpx", "urllib"])
@pytest.mark.parametrize(
    ("after", "seconds"),
    [("7", 7.0), ("0", 0.0), ("1.5", 1.5), (formatdate(NOW + 30, usegmt=True), 30.0),
     (formatdate(NOW - 30, usegmt=True), 0.0), ("", None), ("-1", None), ("soon", None), ("1e9", None), ("nan", None),
     ("9" * 40, None), ("x" * 100_000, None), ("Fri, 99 Nov 9999 99:99:99 GMT", None)],
)  # fmt: skip
def test_a_time_to_come_back_is_read_in_seconds_or_as_a_date(make: Any, after: str, seconds: float | None) -> None:
    assert told(make(429, Retry_After=after), now=NOW) == ("throttled", seconds)


def test_a_date_counts_from_the_clock_of_who_named_it() -> None:
    hour_ahead = httpx_error(503, Retry_After=formatdate(NOW + 3_610, usegmt=True), Date=formatdate(NOW + 3_600))
    assert told(hour_ahead, now=NOW) == ("throttled", 10.0)


@pytest.mark.parametrize("name", ["retry-after-ms", "x-ms-retry-after-ms"])
def test_a_time_in_milliseconds_goes_before_one_in_seconds(name: str) -> None:
    assert told(SdkError(429, {name: "250", "retry-after": "1"}), now=NOW) == ("throttled", 0.25)


@pytest.mark.parametrize(("status", "kind"), [(403, "throttled"), (413, "throttled"), (503, "throttled")])
def test_who_names_a_time_says_that_the_call_may_succeed_then(status: int, kind: str) -> None:
    assert told(httpx_error(status, Retry_After="60"), now=NOW) == (kind, 60.0)


def test_a_time_makes_no_wrong_request_right() -> None:
    assert told(httpx_error(400, Retry_After="60"), now=NOW) == ("invalid", None)
    assert told(httpx_error(401, Retry_After="60"), now=NOW) == ("permission", None)


def test_an_account_without_money_is_not_waited_for() -> None:
    assert told(SdkError(429, {"retry-after": "1"}, code="insufficient_quota"), now=NOW) == ("permission", None)


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("late"),
        urllib.error.URLError("no route"),
        named("httpx", "TransportError"),
        named("openai", "APIConnectionError"),
        named("anthropic._exceptions", "APIConnectionError"),
        named("aiohttp.client_exceptions", "ClientConnectionError"),
        named("requests.exceptions", "ConnectionError"),
        named("azure.core.exceptions", "ServiceRequestError"),
    ],
    ids=lambda error: f"{type(error).__module__}.{type(error).__name__}",
)
def test_a_lost_connection_is_transient_whoever_lost_it(error: BaseException) -> None:
    assert failure_of(error, now=NOW).kind == "transient"


@pytest.mark.parametrize("error", [named("mine", "TransportError"), SystemExit(500), ValueError("404")])
def test_what_is_no_http_clients_exception_stays_a_bug(error: BaseException) -> None:
    assert told(error, now=NOW) is None
    assert failure_of(error, now=NOW).kind == "bug"


def test_an_exception_that_cannot_be_asked_stays_a_bug() -> None:
    assert failure_of(HostileError("odd"), now=NOW).kind == "bug"
    assert told(SdkError(429, HostileError("odd")), now=NOW) == ("throttled", None)


@pytest.mark.parametrize("status", [True, 200, 399, 600, 429.0, "429", None, 10**30, [429]])
def test_a_status_that_is_none_says_nothing(status: object) -> None:
    assert told(SdkError(status), now=NOW) is None


@pytest.mark.parametrize("headers", [7, "retry-after", ["retry-after"], {"retry-after": 7}, {"retry-after": b"7"}])
def test_headers_of_any_kind_do_no_harm(headers: object) -> None:
    assert told(SdkError(429, headers), now=NOW) == ("throttled", None)


@given(after=st.text(max_size=80), date=st.text(max_size=80))
def test_any_text_in_a_header_is_a_time_or_none(after: str, date: str) -> None:
    found = told(SdkError(429, {"retry-after": after, "date": date}), now=NOW)
    assert found is not None
    assert found[0] == "throttled"
    assert found[1] is None or 0 <= found[1] < float("inf")


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ({}, "invalid"),
        ({"HTTPStatusError": "transient"}, "transient"),
        ({"httpx2.HTTPStatusError": "bug"}, "bug"),
        ({"HTTPError": "permission"}, "permission"),
        ({"HTTPError": "permission", "HTTPStatusError": "transient"}, "transient"),
        ({"http.HTTPStatusError": "transient"}, "invalid"),
        ({"Exception": "throttled"}, "throttled"),
    ],
    ids=str,
)
def test_what_the_driver_declares_of_the_nearest_class_counts(declared: Any, kind: str) -> None:
    assert failure_of(httpx_error(404), declared=declared, now=NOW).kind == kind


def test_a_declared_kind_keeps_the_time_that_the_upstream_names() -> None:
    failure = failure_of(httpx_error(503, Retry_After="9"), declared={"HTTPStatusError": "transient"}, now=NOW)
    assert (failure.kind, failure.retry_after_s) == ("transient", 9.0)


def test_our_own_classes_mean_what_they_say() -> None:
    assert failure_of(InvalidError("no such book"), declared={"InvalidError": "transient"}, now=NOW).kind == "invalid"
