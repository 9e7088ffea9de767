"""The principal as policies see it, and the signature by which the OS knows its own messages."""

import hashlib
from typing import Any

import pytest

from vextir_os.events.identity import Principal, Signer

KEY = bytes(range(32))


def test_a_principal_reads_as_policies_match_it() -> None:
    assert str(Principal(kind="driver", id="mail.reader", tenant="acme")) == "driver:mail.reader"


def test_what_was_signed_is_verified() -> None:
    assert Signer(KEY).verify("event", b"body", Signer(KEY).sign("event", b"body"))


def test_the_signature_is_a_keyed_blake2b_of_purpose_and_body() -> None:
    expected = hashlib.blake2b(b"{}", digest_size=32, key=KEY, person=b"event").hexdigest()
    assert Signer(KEY).sign("event", b"{}") == expected


@pytest.mark.parametrize(
    ("purpose", "body", "key"),
    [("knock", b"body", KEY), ("event", b"Body", KEY), ("event", b"body", bytes(32)), ("event", b"", KEY)],
    ids=["other purpose", "other body", "other key", "no body"],
)
def test_a_signature_holds_for_one_purpose_body_and_key(purpose: Any, body: bytes, key: bytes) -> None:
    assert not Signer(KEY).verify(purpose, body, Signer(key).sign("event", b"body"))


@pytest.mark.parametrize(
    "signature",
    [None, 5, True, b"00" * 32, "", "00" * 32, "é" * 64, "\ud800", Signer(KEY).sign("event", b"body").upper()],
    ids=ascii,
)
def test_what_is_no_signature_of_ours_is_refused_without_an_error(signature: object) -> None:
    assert not Signer(KEY).verify("event", b"body", signature)


@pytest.mark.parametrize("size", [0, 31, 65])
def test_a_key_of_a_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"^a signing key has 32 to 64 bytes, this one has {size}$"):
        Signer(bytes(size))


def test_a_signer_does_not_show_its_key() -> None:
    assert repr(Signer(KEY)) == "Signer(key=…)"
