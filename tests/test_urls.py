"""One reading of a URL, for whoever reads one."""

from collections.abc import Callable

import pytest

from claude_openai_proxy.upstreams.http import URL, Proxies
from claude_openai_proxy.urls import api_base_url, split_url


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://gw.example", "https://gw.example"),
        ("https://gw.example/", "https://gw.example"),
        ("https://gw.example/v1", "https://gw.example"),
        ("https://gw.example/v1/", "https://gw.example"),
        ("https://gw.example/v1/messages", "https://gw.example"),
        ("https://gw.example/v1/messages/", "https://gw.example"),
        ("https://gw.example/claude/v1", "https://gw.example/claude"),
        ("https://gw.example/claude//v1//", "https://gw.example/claude"),
        ("https://gw.example/v1beta", "https://gw.example/v1beta"),
        ("https://v1.example/v11", "https://v1.example/v11"),
        ("https://b\u00fccher.example:8443", "https://b\u00fccher.example:8443"),
    ],
)
def test_what_the_proxy_itself_puts_behind_a_base_url_is_taken_off(text: str, base: str) -> None:
    assert api_base_url(text) == base


READERS: dict[str, Callable[[str], object]] = {
    "settings and logins": api_base_url,
    "connections": URL.parse,
    "proxies": lambda text: Proxies(https=text),
    "all": split_url,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http://a:b",
        "http://a:99999",
        "http://a:0",
        "http://[::1",
        "http://a b",
        "http://a\r\n.b",
        "http://a/\u00e9",
    ],
)
def test_every_reader_refuses_the_same(reader: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        READERS[reader](text)


@pytest.mark.parametrize("text", ["http://user:pass@", "http://user:pass@a:0", "http://user:pass@a b"])
def test_no_password_is_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"\*\*\*@") as refused:
        split_url(text)

    assert "pass" not in str(refused.value)
