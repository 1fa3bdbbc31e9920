"""The whole proxy, once on top of the Messages API and once on top of Claude Code, and what each makes of a request."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from claude_openai_proxy.simulator import Script, Simulator
from web.raw_client import connected

JSONObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client got, and what arrived upstream for it."""

    status: int
    headers: Mapping[str, str]
    text: str
    sent: Sequence[JSONObject] = field(repr=False)
    refused_for: Sequence[str]
    """The rules of the simulated API that were broken, "" for each request that broke none."""

    @property
    def streamed(self) -> bool:
        """Whether the answer came as a stream."""
        return self.headers["content-type"].startswith("text/event-stream")

    @property
    def answer(self) -> list[JSONObject]:
        """The chunks of a stream; the one document of any other answer."""
        if not self.streamed:
            return [json.loads(self.text)]
        data = [line.removeprefix("data: ") for line in self.text.split("\n") if line.startswith("data: ")]
        return [json.loads(line) for line in data if line != "[DONE]"]

    @property
    def complete(self) -> bool:
        """Whether an answer came to its end."""
        return self.status == 200 and (not self.streamed or self.text.endswith("data: [DONE]\n\n"))

    def put_together(self) -> JSONObject:
        """The answer, or what the official SDK makes of its chunks."""
        if not self.streamed:
            return self.answer[0]
        state = ChatCompletionStreamState()
        for chunk in self.answer:
            state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
        return state.current_completion_snapshot.to_dict()


@dataclass(frozen=True, slots=True)
class Side:
    """One proxy on a real port, and the simulated Messages API behind it, which is its own."""

    base_url: str
    simulator: Simulator

    async def ask(self, body: JSONObject, *scripts: Script, begun: asyncio.Event | None = None) -> Outcome:
        """Send a chat completion; upstream plays `scripts`, one for each request that arrives there.

        `begun` is set once the first of a streamed answer has reached the client.
        """
        self.simulator.forget()
        self.simulator.play(*scripts)
        async with connected(self.base_url) as connection:
            await connection.send("POST", "/v1/chat/completions", json.dumps(body).encode())
            status, headers = await connection.head()
            if begun is not None:
                begun.set()
            data = await (connection.sized_body(headers) if "content-length" in headers else connection.rest())
        arrived = [request for request in self.simulator.requests if request.is_message]
        return Outcome(
            status=status,
            headers=headers,
            text=data.decode(),
            sent=[request.json for request in arrived],
            refused_for=[request.broken_rule for request in arrived],
        )

    async def get(self, path: str) -> JSONObject:
        """A document of the proxy."""
        async with connected(self.base_url) as connection:
            await connection.send("GET", path)
            _, headers = await connection.head()
            document: JSONObject = json.loads(await connection.sized_body(headers))
        return document


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ways to Claude."""

    api: Side
    claude_code: Side

    async def ask(self, body: JSONObject, *scripts: Script) -> tuple[Outcome, Outcome]:
        """The same request both ways."""
        return await self.api.ask(body, *scripts), await self.claude_code.ask(body, *scripts)
