"""The proxy that runs, asked as a client would ask it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from claude_openai_proxy.setup.json_http import NoAnswerError, StatusError, opened
from claude_openai_proxy.setup.target import KEY_VARIABLE, OfferedModel, Target

_DEFAULT_MODEL: Final = "custom-claude-4-sonnet"


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
        with self._asked(f"{self.base_url}/chat/completions", user_agent, body | {"stream": True}) as response:
            for line in response:
                if line.startswith(b"data: "):
                    yield line[6:].decode().strip()

    def _document(self, url: str) -> dict[str, Any]:
        with self._asked(url, "claude-openai-proxy-setup") as response:
            try:
                answer = json.loads(response.read())
            except ValueError:
                answer = None
        if not isinstance(answer, dict):
            raise NotReadyError(f"What answers at {url} is no Claude OpenAI Proxy.")
        return answer

    def _asked(self, url: str, user_agent: str, body: object = None) -> Any:
        key = {"authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            return opened(url, {"user-agent": user_agent, **key}, body)
        except StatusError as error:
            raise NotReadyError(_told(error)) from error
        except NoAnswerError as error:
            raise NotReadyError(
                f"{error} Start the proxy first (claude-openai-proxy), or name another address with --url."
            ) from error


def _told(error: StatusError) -> str:
    try:
        message = str(json.loads(error.body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = "without a word"
    if error.status == 401 and "API key" in message:
        return f"The proxy asks for a client key: export {KEY_VARIABLE}=<one of its keys>, and try again."
    return f"The proxy answered HTTP {error.status}: {message}"


def _offered(row: dict[str, Any]) -> OfferedModel:
    return OfferedModel(
        id=str(row.get("id", "")),
        title=str(row.get("display_name") or row.get("id", "")),
        context=int(row.get("context_window") or 200_000),
        output=int(row.get("max_output_tokens") or 32_000),
        images=bool(row.get("supports_images", True)),
        alias="resolves_to" in row,
    )
