"""URLs as they are written into settings, and as they stand in a request."""

import pytest

from claude_openai_proxy.upstreams.http.address import URL, Origin


@pytest.mark.parametrize(
    ("text", "origin", "path", "host_header"),
    [
        ("https://api.test", Origin("https", "api.test", 443), "/", "api.test"),
        ("https://api.test/", Origin("https", "api.test", 443), "/", "api.test"),
        ("http://api.test:8080/a/b?c=d#e", Origin("http", "api.test", 8080), "/a/b?c=d", "api.test:8080"),
        ("HTTP://API.test:80/A", Origin("http", "api.test", 80), "/A", "api.test"),
        ("http://[::1]:3000/x", Origin("http", "::1", 3000), "/x", "[::1]:3000"),
        ("https://[::1]", Origin("https", "::1", 443), "/", "[::1]"),
        ("https://b\u00fccher.test", Origin("https", "xn--bcher-kva.test", 443), "/", "xn--bcher-kva.test"),
    ],
)
def test_a_url_is_read(text: str, origin: Origin, path: str, host_header: str) -> None:
    url = URL.parse(text)
    assert (url.origin, url.path, url.origin.host_header) == (origin, path, host_header)


@pytest.mark.parametrize(
    "text", ["", "api.test", "ftp://api.test", "http://", "http://a:b", "http://a:99999", "http://[::1"]
)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        URL.parse(text)


@pytest.mark.parametrize(
    "base", ["https://api.test/gateway", "https://api.test/gateway/", "https://api.test/gateway//"]
)
def test_a_path_is_put_below_a_prefix(base: str) -> None:
    assert (URL.parse(base) / "v1/messages?beta=true").path == "/gateway/v1/messages?beta=true"
