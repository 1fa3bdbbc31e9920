"""Proxies and certificates, by the variables that every program knows. From the environment only, in both cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from claude_openai_proxy.settings.secret import Secret
from claude_openai_proxy.urls import split_url


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How the way out looks. Proxy URLs are secrets because they may hold a password."""

    https_proxy: Secret | None = None
    http_proxy: Secret | None = None
    no_proxy: str = ""
    ssl_cert_file: Path | None = field(default=None)
    ssl_cert_dir: Path | None = field(default=None)


NETWORK_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def read_network(environment: Mapping[str, str], problems: list[str]) -> NetworkSettings:
    """The settings of this environment; a line in `problems` for each that is not allowed."""
    read = _Reader(environment, problems)
    return NetworkSettings(
        https_proxy=read.proxy("HTTPS_PROXY"),
        http_proxy=read.proxy("HTTP_PROXY"),
        no_proxy=_text("NO_PROXY", environment),
        ssl_cert_file=read.path("SSL_CERT_FILE", Path.is_file, "a file"),
        ssl_cert_dir=read.path("SSL_CERT_DIR", Path.is_dir, "a directory"),
    )


def unused_socks_proxy(environment: Mapping[str, str]) -> str:
    """A sentence where ALL_PROXY names a SOCKS proxy and nothing else says how requests go out; "" otherwise."""
    if not _text("ALL_PROXY", environment).startswith("socks") or _text("HTTPS_PROXY", environment):
        return ""
    return "ALL_PROXY names a SOCKS proxy, which is not supported; an HTTP proxy is: HTTPS_PROXY=http://host:port"


def _text(name: str, environment: Mapping[str, str]) -> str:
    """Lower case wins where both are set, as in curl and Python."""
    return (environment.get(name.lower()) or environment.get(name, "")).strip()


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str] = field(repr=False)
    problems: list[str]

    def proxy(self, name: str) -> Secret | None:
        text = _text(name, self.environment)
        url = text if "://" in text else f"http://{text}"
        if not text:
            return None
        if not _is_http_url(url):
            socks = " SOCKS is not supported; an HTTP proxy is." if text.lower().startswith("socks") else ""
            self.problems.append(f"{name} from the environment is not allowed.{socks} Allowed: http://host:port.")
            return None
        return Secret(url)

    def path(self, name: str, exists: Callable[[Path], bool], kind: str) -> Path | None:
        text = _text(name, self.environment)
        if text and not exists(Path(text)):
            self.problems.append(f"{name} from the environment is {text!r}, which is not {kind}.")
        return Path(text) if text else None


def _is_http_url(url: str) -> bool:
    try:
        return split_url(url).scheme == "http"
    except ValueError:
        return False
