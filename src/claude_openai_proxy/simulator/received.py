"""What a caller sent, kept for whoever asks later."""

import asyncio
import json
from dataclasses import dataclass, field
from functools import cached_property

from claude_openai_proxy.simulator.loose_json import JSONObject, object_in, text_in
from claude_openai_proxy.simulator.prompt_cache import CacheUse


@dataclass(eq=False)
class ReceivedRequest:
    """One request, complete. Header names are lower case; of a repeated header the last one counts."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    id: str = ""
    """Value of the answer's `request-id` header."""
    broken_rule: str = ""
    """Name of the rule that refused the request."""
    cache: CacheUse | None = None
    """What it read from the prompt cache and wrote to it; None where the simulator did not answer by itself."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the caller went away before the answer's end."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the answer has been sent in full."""

    @cached_property
    def json(self) -> JSONObject:
        """The parsed body; empty where it is no JSON object."""
        return object_in(self.parsed)

    @cached_property
    def parsed(self) -> object:
        """The parsed body, whatever it is; None where it is no JSON."""
        try:
            parsed: object = json.loads(self.body)
        except ValueError:
            return None
        return parsed

    @property
    def model(self) -> str:
        """The model asked for."""
        return text_in(self.json.get("model"))

    @property
    def streams(self) -> bool:
        """Whether a stream was asked for."""
        return self.json.get("stream") is True

    @property
    def is_message(self) -> bool:
        """Whether this is `POST /v1/messages`."""
        return self.method == "POST" and self.path == "/v1/messages"
