"""What a URL is: one reading of it for settings, logins and connections."""

import re
from urllib.parse import SplitResult, urlsplit

_PATH = re.compile(r"[\x21-\x7e]*")
_OF_THE_API = re.compile(r"/v1(/messages)?/*$")


def split_url(text: str) -> SplitResult:
    """The parts of an absolute URL: it has a host, a port that can be (if any), no blanks, and a path in ASCII.

    Raises `ValueError` with a sentence, which shows neither user nor password.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{_shown(text)!r} is not a URL: {error}") from error
    if not parts.scheme or not host:
        raise ValueError(f"{_shown(text)!r} is not a URL that names a host")
    blank = re.search(r"\s", text) or not text.isprintable()
    if port == 0 or blank or not _PATH.fullmatch(f"{parts.path}{parts.query}{parts.fragment}"):
        raise ValueError(f"{_shown(text)!r} is not a URL: it has port 0, blanks or other signs that no URL has")
    return parts


def api_base_url(text: str) -> str:
    """The base URL of a Messages API as every request needs it: `/v1` or `/v1/messages` at its end is taken off.

    It is http or https, without user, query and fragment. Raises `ValueError`.
    """
    parts = split_url(text)
    if parts.scheme not in {"http", "https"} or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{_shown(text)!r} is not an http or https URL without user, query and fragment")
    return _OF_THE_API.sub("", text.rstrip("/")).rstrip("/")


def _shown(text: str) -> str:
    before, at, after = text.rpartition("@")
    return f"{before.partition('://')[0]}://***@{after}" if at and "://" in before else text
