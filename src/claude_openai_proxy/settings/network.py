"""Proxies and certificates, by the variables that every program knows. From the environment only, in both cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from claude_openai_proxy.logins.layers import split_url
from claude_openai_proxy.settings.errors import SettingsError
from claude_openai_proxy.settings.secret import Secret


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How the way out looks. Proxy URLs are secrets because they may hold a password."""

    https_proxy: Secret | None = None
    http_proxy: Secret | None = None
    no_proxy: str = ""
    ssl_cert_file: Path | None = field(default=None)
    ssl_cert_dir: Path | None = field(default=None)


def read_network(environment: Mapping[str, str]) -> NetworkSettings:
    """The settings of this environment. Raises `SettingsError`."""
    return NetworkSettings(
        https_proxy=_proxy("HTTPS_PROXY", environment),
        http_proxy=_proxy("HTTP_PROXY", environment),
        no_proxy=_text("NO_PROXY", environment),
        ssl_cert_file=_file("SSL_CERT_FILE", environment),
        ssl_cert_dir=_directory("SSL_CERT_DIR", environment),
    )


def _text(name: str, environment: Mapping[str, str]) -> str:
    """Lower case wins where both are set, as in curl and Python."""
    return (environment.get(name.lower()) or environment.get(name, "")).strip()


def _proxy(name: str, environment: Mapping[str, str]) -> Secret | None:
    text = _text(name, environment)
    if not text:
        return None
    url = text if "://" in text else f"http://{text}"
    if not _is_http_url(url):
        raise SettingsError(f"{name} from the environment is not allowed. Allowed: http://host:port.")
    return Secret(url)


def _is_http_url(url: str) -> bool:
    try:
        return split_url(url).scheme == "http"
    except ValueError:
        return False


def _file(name: str, environment: Mapping[str, str]) -> Path | None:
    text = _text(name, environment)
    if text and not Path(text).is_file():
        raise SettingsError(f"{name} from the environment is {text!r}, which is not a file.")
    return Path(text) if text else None


def _directory(name: str, environment: Mapping[str, str]) -> Path | None:
    text = _text(name, environment)
    if text and not Path(text).is_dir():
        raise SettingsError(f"{name} from the environment is {text!r}, which is not a directory.")
    return Path(text) if text else None
