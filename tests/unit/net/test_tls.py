"""https to another host: the connection goes to the checked address, and who answers there has to prove the name."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.support.outside import answer, outside, resolve
from vextir_os.errors import AnswerError, UnreachableError
from vextir_os.net import client, request

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the certificate of `api.test`, which vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "certificate.pem", folder / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=api.test", "-addext", "subjectAltName=DNS:api.test"]
    command = ["openssl", "req", "-x509", *kind, *names, "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return made, key


@pytest.fixture
def asked_for() -> list[str | None]:
    """The names that were asked for in the handshake."""
    return []


@pytest.fixture
def tls(certificate: tuple[Path, Path], asked_for: list[str | None]) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    return context


@pytest.fixture
def trusting(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificate of `api.test` as an authority."""
    context = ssl.create_default_context(cafile=str(certificate[0]))
    monkeypatch.setattr(client, "_trust", lambda: context)


@pytest.mark.usefixtures("trusting")
async def test_the_name_is_proved_at_the_address_that_was_checked(
    tls: ssl.SSLContext, asked_for: list[str | None]
) -> None:
    async with outside(answer(body=b"[1]"), tls) as host:
        url = f"https://api.test:{host.port}/"
        got = await request("GET", url, allowed=host.allowed, resolve=resolve)
    assert got.json() == [1]
    assert asked_for == ["api.test"]
    assert host.asked[0].headers["host"] == f"api.test:{host.port}"


@pytest.mark.usefixtures("trusting")
async def test_who_proves_another_name_is_told_nothing(tls: ssl.SSLContext) -> None:
    async with outside(answer(), tls) as host:
        with pytest.raises(UnreachableError, match=r"other\.test did not answer: ConnectError"):
            await request(
                "GET", f"https://other.test:{host.port}/", allowed=[f"other.test:{host.port}"], resolve=resolve
            )
    assert host.asked == []


async def test_who_proves_a_name_to_nobody_we_trust_is_told_nothing(
    tls: ssl.SSLContext, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the environment trusts does not count.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    client._trust.cache_clear()
    async with outside(answer(), tls) as host:
        with pytest.raises(UnreachableError, match=r"api\.test did not answer: ConnectError"):
            await request("GET", f"https://api.test:{host.port}/", allowed=host.allowed, resolve=resolve)
    assert host.asked == []


@pytest.mark.usefixtures("trusting")
async def test_a_redirect_from_https_to_http_is_not_followed(tls: ssl.SSLContext) -> None:
    async with outside(answer()) as plain:
        place = f"http://api.test:{plain.port}/"
        async with outside(answer("302 Found", headers={"location": place}), tls) as host:
            with pytest.raises(AnswerError, match="redirects from https to http"):
                await request("GET", f"https://api.test:{host.port}/", allowed=["api.test"], resolve=resolve)
    assert plain.asked == []
