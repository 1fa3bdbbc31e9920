"""Through an http proxy: the whole URL for http, a tunnel for https; and past it."""

import asyncio
import shutil
from functools import partial

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamTimeoutError
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Proxies, Request
from claude_openai_proxy.upstreams.http.address import Origin
from claude_openai_proxy.upstreams.http.proxies import Proxy
from claude_openai_proxy.upstreams.http.trust import tls_context
from upstreams.certificates import Certificates, make_certificates
from upstreams.wild_server import LAST_CHUNK, STREAM_HEAD, Behaviour, Visit, always, chunk, ok, once, wild_server

PATIENCE = Patience(silence=10)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    return make_certificates(tmp_path_factory.mktemp("proxied"), "DNS:api.test", "IP:127.0.0.1")


def tunnel(certificates: Certificates, established: bytes, inside: bytes) -> Behaviour:
    """A proxy that opens the tunnel and is the server at its other end as well."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.send(established)
        await visit.start_tls(certificates.server())
        while True:
            await visit.request()
            await visit.send(inside)

    return behave


async def fetch(client: HTTPClient, url: str, patience: Patience = PATIENCE) -> bytes:
    with await client.send(Request("GET", URL.parse(url), (("x-api-key", "k"),)), patience) as response:
        return await response.read_all()


async def test_plain_http_goes_to_the_proxy_with_its_whole_url() -> None:
    async with wild_server(always(ok(b"proxied"))) as proxy:
        client = HTTPClient(proxies=Proxies(http=f"http://user:p%40ss@127.0.0.1:{proxy.port}"))
        assert await fetch(client, "http://api.test:8080/v1/models") == b"proxied"
        assert proxy.requests == [
            (
                b"GET http://api.test:8080/v1/models HTTP/1.1\r\nhost: api.test:8080\r\naccept-encoding: identity\r\n"
                b"x-api-key: k\r\nproxy-authorization: Basic dXNlcjpwQHNz\r\n\r\n"
            )
        ]
        await client.aclose()


@pytest.mark.parametrize(
    "established",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nproxy-agent: x\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ],
)
async def test_https_goes_through_a_tunnel_that_is_kept(certificates: Certificates, established: bytes) -> None:
    inside = STREAM_HEAD + chunk(b"inside") + LAST_CHUNK
    async with wild_server(tunnel(certificates, established, inside)) as proxy:
        client = HTTPClient(
            tls=partial(tls_context, str(certificates.ca_file)),
            proxies=Proxies(https=f"http://user:secret@127.0.0.1:{proxy.port}"),
        )
        assert [await fetch(client, "https://api.test/v1") for _ in range(2)] == [b"inside"] * 2
        assert proxy.requests[0] == (
            b"CONNECT api.test:443 HTTP/1.1\r\nhost: api.test\r\naccept-encoding: identity\r\n"
            b"proxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        )
        assert proxy.requests[1].startswith(b"GET /v1 HTTP/1.1\r\nhost: api.test\r\n")
        assert b"proxy-authorization" not in proxy.requests[1]
        assert (proxy.visits, client.open_connections) == (1, 1)
        await client.aclose()
        assert client.open_connections == 0


async def test_the_name_inside_the_tunnel_is_verified(certificates: Certificates) -> None:
    async with wild_server(tunnel(certificates, b"HTTP/1.1 200 OK\r\n\r\n", ok())) as proxy:
        client = HTTPClient(
            tls=partial(tls_context, str(certificates.ca_file)),
            proxies=Proxies(https=f"http://127.0.0.1:{proxy.port}"),
        )
        with pytest.raises(UpstreamConnectionError, match=r"certificate of other\.test:443 is not trusted") as caught:
            await fetch(client, "https://other.test/")
        assert not caught.value.reached


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"403 Forbidden", b"502 Bad Gateway"])
async def test_a_proxy_that_refuses_is_named(status: bytes) -> None:
    async with wild_server(once(b"HTTP/1.1 %s\r\ncontent-length: 0\r\n\r\n" % status)) as proxy:
        client = HTTPClient(proxies=Proxies(https=f"http://u:hidden@127.0.0.1:{proxy.port}"))
        with pytest.raises(UpstreamConnectionError, match=r"does not connect to api\.test:443") as caught:
            await fetch(client, "https://api.test/")
        assert str(proxy.port) in caught.value.message
        assert status[:3].decode() in caught.value.message
        assert "hidden" not in caught.value.message
        assert not caught.value.reached


async def test_a_proxy_that_hangs_up_was_never_passed() -> None:
    async with wild_server(once(b"")) as proxy:
        client = HTTPClient(proxies=Proxies(https=f"http://127.0.0.1:{proxy.port}"))
        with pytest.raises(UpstreamConnectionError, match=r"The proxy .* closed the connection") as caught:
            await fetch(client, "https://api.test/")
        assert not caught.value.reached


async def test_a_proxy_that_says_nothing_runs_into_the_connect_time_out() -> None:
    async def silent(visit: Visit) -> None:
        await visit.caller_leaves()

    async with wild_server(silent) as proxy:
        client = HTTPClient(proxies=Proxies(https=f"http://127.0.0.1:{proxy.port}"))
        with pytest.raises(UpstreamTimeoutError) as caught:
            await fetch(client, "https://api.test/", Patience(silence=0.05))
        assert caught.value.phase == "connect"
        async with asyncio.timeout(1):
            await proxy.left.wait()


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "past"),
    [
        ("", "api.test", 443, False),
        ("*", "api.test", 443, True),
        ("api.test", "api.test", 443, True),
        ("API.test", "api.test", 443, True),
        ("api.test", "my-api.test", 443, False),
        ("test", "api.test", 443, True),
        (".test", "api.test", 443, True),
        ("*.test", "api.test", 443, True),
        (".api.test", "api.test", 443, False),
        ("other, api.test", "api.test", 443, True),
        ("other api.test", "api.test", 443, True),
        ("api.test:443", "api.test", 443, True),
        ("api.test:8443", "api.test", 443, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", "api.test", 443, False),
        ("nonsense/8", "10.1.2.3", 443, False),
        ("::1", "::1", 443, True),
        ("[::1]:443", "::1", 443, True),
        ("[::1]:80", "::1", 443, False),
        ("fe80::/10", "fe80::1", 443, True),
    ],
)
def test_no_proxy_names_who_is_reached_directly(no_proxy: str, host: str, port: int, past: bool) -> None:
    proxies = Proxies(https="http://proxy.test:3128", no_proxy=no_proxy)
    assert (proxies.choose(Origin("https", host, port)) is None) is past


def test_each_scheme_has_its_own_proxy() -> None:
    proxies = Proxies(https="proxy.test:3128")
    assert proxies.choose(Origin("http", "api.test", 80)) is None
    assert proxies.choose(Origin("https", "api.test", 443)) == Proxy(Origin("http", "proxy.test", 3128))


@pytest.mark.parametrize("url", ["socks5://user:hidden@proxy.test:1080", "http://user:hidden@:80", "ftp://x:hidden@y"])
def test_what_is_no_http_proxy_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"proxy|URL") as caught:
        Proxies(https=url)
    assert "hidden" not in str(caught.value)
