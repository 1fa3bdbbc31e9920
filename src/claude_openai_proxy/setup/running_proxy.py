"""The proxy that runs, asked as a client would ask it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from claude_openai_proxy.setup.target import KEY_VARIABLE, OfferedModel, Target

SILENT_SECONDS: Final = 60.0
"""For an answer to begin, and between two lines of it."""
_DEFAULT_MODEL: Final = "custom-claude-4-sonnet"
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Straight to the proxy, whatever the environment says of ways out."""


class NotReadyError(Exception):
    """The proxy cannot be used like this; the message says what to do."""


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """`base_url` ends with `/v1`; `key` is what the client would show, "" for none."""

    base_url: str
    key: str = field(default="", repr=False)

    def health(self) -> dict[str, Any]:
        """What `/health` tells. Raises `NotReadyError`."""
        return self._document(f"{self.base_url.removesuffix('/v1')}/health")

    def target(self, model: str | None) -> Target:
        """What clients can be pointed at. Raises `NotReadyError` where `model` is not on offer."""
        rows = self._document(f"{self.base_url}/models").get("data", [])
        models = tuple(_offered(row) for row in rows)
        wanted = model or _DEFAULT_MODEL
        chosen = next((one for one in models if one.id == wanted), None if model else next(iter(models), None))
        if chosen is None:
            known = ", ".join(one.id for one in models) or "none"
            raise NotReadyError(f"The proxy has no model {wanted!r}. It has: {known}.")
        return Target(self.base_url, self.key, models, chosen)

    def stream(self, body: dict[str, object], *, user_agent: str) -> Iterator[str]:
        """The data of each event of a chat completion. Raises `NotReadyError`."""
        data = json.dumps(body | {"stream": True}).encode()
        with self._opened(f"{self.base_url}/chat/completions", user_agent, data) as response:
            for line in response:
                if line.startswith(b"data: "):
                    yield line[6:].decode().strip()

    def _document(self, url: str) -> dict[str, Any]:
        with self._opened(url, "claude-openai-proxy-setup") as response:
            try:
                document = json.loads(response.read())
            except ValueError:
                document = None
        if not isinstance(document, dict):
            raise NotReadyError(f"What answers at {url} is no Claude OpenAI Proxy.")
        return document

    def _headers(self, user_agent: str) -> dict[str, str]:
        key = {"authorization": f"Bearer {self.key}"} if self.key else {}
        return {"content-type": "application/json", "user-agent": user_agent, **key}

    def _opened(self, url: str, user_agent: str, data: bytes | None = None) -> Any:
        if not url.startswith(("http://", "https://")):
            raise NotReadyError(f"{self.base_url} is no address of a proxy: it begins with http:// or https://.")
        try:
            request = urllib.request.Request(url, data, self._headers(user_agent))  # noqa: S310 - http alone
            return _DIRECT.open(request, timeout=SILENT_SECONDS)
        except urllib.error.HTTPError as error:
            raise NotReadyError(_told(error)) from error
        except (OSError, ValueError) as error:
            raise NotReadyError(
                f"Nothing answers at {self.base_url}: start the proxy first (claude-openai-proxy), or name another "
                "address with --url."
            ) from error


def _told(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            message = json.loads(error.read())["error"]["message"]
        except (ValueError, KeyError, TypeError, OSError):
            message = error.reason
    if error.code == 401 and "API key" in message:
        return f"The proxy asks for a client key: export {KEY_VARIABLE}=<one of its keys>, and try again."
    return f"The proxy answered HTTP {error.code}: {message}"


def _offered(row: dict[str, Any]) -> OfferedModel:
    return OfferedModel(
        id=str(row.get("id", "")),
        title=str(row.get("display_name") or row.get("id", "")),
        context=int(row.get("context_window") or 200_000),
        output=int(row.get("max_output_tokens") or 32_000),
        images=bool(row.get("supports_images", True)),
        alias="resolves_to" in row,
    )
