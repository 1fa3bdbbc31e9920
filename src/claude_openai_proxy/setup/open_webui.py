"""Open WebUI by its own API (its variables count on its first start only; afterwards its database does).

`GET /openai/config` and `POST /openai/config/update` of an administrator: lists of addresses and keys that belong
together by their place, and settings by that place as text. One connection is put at the end, or taken out again.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from claude_openai_proxy.setup.json_http import NoAnswerError, StatusError, document
from claude_openai_proxy.setup.running_proxy import NotReadyError
from claude_openai_proxy.setup.target import ANY_KEY

KEY_VARIABLE: Final = "OPEN_WEBUI_API_KEY"
"""Of an administrator: Settings, Account, API keys."""
_URLS: Final = "OPENAI_API_BASE_URLS"
_KEYS: Final = "OPENAI_API_KEYS"
_CONFIGS: Final = "OPENAI_API_CONFIGS"

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenWebUI:
    """At `url`, without a slash at its end."""

    url: str
    key: str = field(repr=False)

    def config(self) -> Config:
        """As it is. Raises `NotReadyError`."""
        config = self._asked("/openai/config")
        if not isinstance(config.get(_URLS), list) or not isinstance(config.get(_KEYS), list):
            raise NotReadyError(f"{self.url} has another configuration than is known here: set it up by hand.")
        return config

    def update(self, config: Config) -> None:
        """Raises `NotReadyError`."""
        self._asked("/openai/config/update", config)

    def offers(self, model: str) -> bool:
        """Whether the model is in its list. Raises `NotReadyError`."""
        rows = self._asked("/api/models").get("data")
        return any(isinstance(row, dict) and row.get("id") == model for row in rows or ())

    def _asked(self, path: str, body: object = None) -> dict[str, Any]:
        try:
            answer = document(f"{self.url}{path}", {"authorization": f"Bearer {self.key}"}, body)
        except NoAnswerError as error:
            raise NotReadyError(f"{error} Is that Open WebUI's address?") from error
        except StatusError as error:
            if error.status in (401, 403):
                raise NotReadyError(
                    f"Open WebUI wants the API key of an administrator: export {KEY_VARIABLE}=<it>."
                ) from error
            raise NotReadyError(f"Open WebUI answered HTTP {error.status} for {path}.") from error
        if answer is None:
            raise NotReadyError(f"What answers at {self.url} is no Open WebUI.")
        return answer


def with_connection(config: Config, base_url: str, key: str) -> Config:
    """`config` with this address at its end, once; what is there stays at its place."""
    if base_url in config[_URLS]:
        return config
    changed = copy.deepcopy(config)
    # Keys may be fewer than addresses: each must keep its place.
    keys = [*changed[_KEYS], *[""] * (len(changed[_URLS]) - len(changed[_KEYS]))]
    changed["ENABLE_OPENAI_API"] = True
    changed[_CONFIGS] = {**(changed.get(_CONFIGS) or {}), str(len(changed[_URLS])): {"enable": True}}
    changed[_URLS] = [*changed[_URLS], base_url]
    changed[_KEYS] = [*keys, key or ANY_KEY]
    return changed


def without_connection(config: Config, base_url: str) -> Config:
    """`config` without this address; those behind it move up, with their keys and settings."""
    if base_url not in config[_URLS]:
        return config
    changed = copy.deepcopy(config)
    place = changed[_URLS].index(base_url)
    del changed[_URLS][place]
    del changed[_KEYS][place : place + 1]
    changed[_CONFIGS] = {
        str(int(at) - (int(at) > place)) if at.isdecimal() else at: value
        for at, value in (changed.get(_CONFIGS) or {}).items()
        if at != str(place)
    }
    return changed


def shown_change(before: Config, after: Config) -> Iterator[str]:
    """In lines, without any key."""
    for url in before[_URLS]:
        if url not in after[_URLS]:
            yield f"- {url}"
    for url in after[_URLS]:
        if url not in before[_URLS]:
            yield f"+ {url}"
    if bool(before.get("ENABLE_OPENAI_API")) != bool(after.get("ENABLE_OPENAI_API")):
        yield f"+ ENABLE_OPENAI_API: {json.dumps(after.get('ENABLE_OPENAI_API'))}"
