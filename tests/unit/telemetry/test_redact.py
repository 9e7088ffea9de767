"""What may stand in a log: secrets go by their name, whatever the spelling; nothing is endless; nothing raises."""

from typing import Any

import pytest

from vextir_os.telemetry.redact import REDACTED, TEXT_CHARS, clean, clean_text, is_secret


@pytest.mark.parametrize(
    "name",
    [
        "password", "PASSWORD", "dbPassword", "db_passwd", "Authorization", "proxy-authorization", "token", "id_token",
        "accessToken", "secret", "client_secret", "api_key", "apiKey", "X-API-Key", "APIKEY", "private-key", "sas",
        "Set-Cookie", "credentials", "connectionString", "AccountKey", "jwt", "pin", "signature",
    ],
)  # fmt: skip
def test_a_name_that_says_secret_is_one(name: str) -> None:
    assert is_secret(name)
    assert clean({name: "hunter2"}) == {name: REDACTED}


@pytest.mark.parametrize(
    "name", ["max_tokens", "keyboard", "monkey", "key", "spin", "author", "sasha", "partition_key"]
)
def test_a_name_that_only_looks_alike_is_none(name: str) -> None:
    assert not is_secret(name)
    assert clean({name: 7}) == {name: 7}


def test_secrets_are_found_at_any_depth() -> None:
    assert clean({"a": [{"b": {"token": ["x"]}}]}) == {"a": [{"b": {"token": REDACTED}}]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("login with password=hunter2 failed", f"login with password={REDACTED} failed", id="assigned"),
        pytest.param('{"api_key": "sk-123", "n": 1}', '{"api_key": "[redacted]", "n": 1}', id="json"),
        pytest.param("Authorization: Bearer abc.def", f"Authorization: {REDACTED}", id="header"),
        pytest.param("sent Bearer abcdefgh1234", f"sent Bearer {REDACTED}", id="bearer"),
        pytest.param("https://ann:pw@host/x", f"https://ann:{REDACTED}@host/x", id="url"),
        pytest.param("GET /x?token=abc&n=1", f"GET /x?token={REDACTED}&n=1", id="query"),
        pytest.param("a token was refused", "a token was refused", id="a-word-alone"),
    ],
)
def test_a_text_is_shown_without_the_secrets_that_it_names(text: str, shown: str) -> None:
    assert clean_text(text) == shown


class Unshown:
    def __str__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(Unshown(), "<Unshown>", id="what-cannot-be-shown"),
        pytest.param(float("nan"), "nan", id="no-json-number"),
        pytest.param(2**70, str(2**70), id="too-large-for-json"),
        pytest.param({1: b"x"}, {"1": "b'x'"}, id="no-json"),
        pytest.param("a\ud800b", "a?b", id="half-a-pair"),
        pytest.param((True, None), [True, None], id="tuple"),
    ],
)
def test_whatever_is_given_something_can_be_shown(value: Any, shown: Any) -> None:
    assert clean(value) == shown


def test_nothing_is_endless() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    assert "…" in str(clean(endless))
    assert len(clean("x" * 1_000_000)) == TEXT_CHARS + 1
    assert len(clean(list(range(10_000)))) == 50
