"""TLS with verification, and who is trusted."""

import shutil
import ssl
from functools import partial
from pathlib import Path

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request
from claude_openai_proxy.upstreams.http.trust import tls_context
from upstreams.certificates import Certificates, make_certificates
from upstreams.wild_server import LAST_CHUNK, STREAM_HEAD, Visit, always, chunk, ok, wild_server

PATIENCE = Patience(silence=10)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    return make_certificates(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1", "DNS:api.test")


def trusting(certificates: Certificates) -> HTTPClient:
    return HTTPClient(tls=partial(tls_context, str(certificates.ca_file)))


async def fetch(client: HTTPClient, url: str, body: bytes = b"") -> bytes:
    with await client.send(Request("POST", URL.parse(url), (), body), PATIENCE) as response:
        return await response.read_all()


async def test_a_trusted_server_is_spoken_to_over_one_connection(certificates: Certificates) -> None:
    client = trusting(certificates)
    async with wild_server(always(STREAM_HEAD + chunk(b"secret") + LAST_CHUNK), tls=certificates.server()) as server:
        assert [await fetch(client, server.url) for _ in range(3)] == [b"secret"] * 3
        assert server.visits == 1
        await client.aclose()


async def test_large_bodies_go_through_tls_both_ways(certificates: Certificates) -> None:
    client = trusting(certificates)
    body = bytes(range(256)) * 20_000
    async with wild_server(always(ok(body)), tls=certificates.server()) as server:
        assert await fetch(client, server.url, body) == body
        assert server.requests[0].endswith(body)
        await client.aclose()


async def test_an_unknown_authority_is_refused_with_what_to_do(certificates: Certificates) -> None:
    client = HTTPClient()
    async with wild_server(always(ok()), tls=certificates.server()) as server:
        with pytest.raises(UpstreamConnectionError, match=r"not trusted .*certificate.*SSL_CERT_FILE") as caught:
            await fetch(client, server.url)
        assert not caught.value.reached
        assert server.requests == []
        assert client.open_connections == 0


async def test_a_certificate_for_another_name_is_refused(certificates: Certificates) -> None:
    client = trusting(certificates)
    async with wild_server(always(ok()), tls=certificates.server()) as server:
        with pytest.raises(UpstreamConnectionError, match="not trusted"):
            await fetch(client, f"https://localhost:{server.port}")


async def test_a_server_without_tls_is_told(certificates: Certificates) -> None:
    async def answers_in_the_clear(visit: Visit) -> None:
        await visit.reader.read(100)
        await visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    client = trusting(certificates)
    async with wild_server(answers_in_the_clear) as server:
        with pytest.raises(UpstreamConnectionError, match="No TLS connection") as caught:
            await fetch(client, f"https://127.0.0.1:{server.port}")
        assert not caught.value.reached


async def test_a_server_that_hangs_up_during_the_handshake_is_told(certificates: Certificates) -> None:
    async def hangs_up(visit: Visit) -> None:
        await visit.reader.read(1)
        visit.reset()

    client = trusting(certificates)
    async with wild_server(hangs_up) as server:
        with pytest.raises(UpstreamConnectionError, match=r"127\.0\.0\.1") as caught:
            await fetch(client, f"https://127.0.0.1:{server.port}")
        assert not caught.value.reached


@pytest.mark.parametrize("content", [None, "", "no certificate at all"])
async def test_a_file_without_certificates_is_told(tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    client = HTTPClient(tls=partial(tls_context, str(ca_file)))
    with pytest.raises(UpstreamConnectionError) as caught:
        await fetch(client, "https://127.0.0.1:9")
    assert not caught.value.reached


def test_a_named_file_replaces_the_platforms_store(certificates: Certificates) -> None:
    context = tls_context(str(certificates.ca_file))
    assert context.cert_store_stats()["x509_ca"] == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_named_directory_replaces_the_platforms_store(tmp_path: Path) -> None:
    assert tls_context("", str(tmp_path)).cert_store_stats()["x509_ca"] == 0


def test_without_a_name_somebody_is_trusted() -> None:
    context = tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    paths = ssl.get_default_verify_paths()
    assert context.cert_store_stats()["x509_ca"] > 0 or paths.capath is not None
