"""A server that is killed in the middle of many stored conversations has kept all that it has acknowledged."""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai import APIConnectionError, AsyncOpenAI

from claude_openai_proxy.simulator import Simulator
from cli.running import Command, running

MODEL = "claude-sonnet-5-5"
CONVERSATIONS = 200
AT_ONCE = 20
TURN = ["message", "reasoning", "message"]
"""The items of a turn, as each has them: the model of these conversations thinks unasked."""


@dataclass
class Talk:
    """One of them; `acknowledged` is the response whose end has come."""

    number: int
    conversation: str | None = None
    acknowledged: str = ""
    said: str = ""

    @property
    def question(self) -> str:
        return f"This is conversation {self.number}."

    async def begin(self, client: AsyncOpenAI) -> None:
        """A third each: in a conversation and streamed, in a chain and streamed, in a chain and whole."""
        if self.number % 3 == 0:
            self.conversation = (await client.conversations.create()).id
        if self.number % 3 == 2:
            whole = await client.responses.create(model=MODEL, input=self.question)
            self.acknowledged, self.said = whole.id, whole.output_text
            return
        stream = await client.responses.create(
            model=MODEL, input=self.question, stream=True, conversation=self.conversation
        )
        async for event in stream:
            if event.type == "response.completed":
                self.acknowledged, self.said = event.response.id, event.response.output_text


@dataclass
class Killer:
    """Kills the server once so many have been acknowledged."""

    command: Command
    left: int
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def begin(self, talk: Talk, client: AsyncOpenAI) -> None:
        async with self.turns:
            with suppress(APIConnectionError):
                await talk.begin(client)
        if talk.acknowledged:
            self.left -= 1
            if self.left == 0:
                self.command.signal(signal.SIGKILL)


async def go_on(talk: Talk, client: AsyncOpenAI) -> None:
    kept = await client.responses.retrieve(talk.acknowledged)
    assert (kept.status, kept.output_text) == ("completed", talk.said)
    if talk.conversation:
        items = await client.conversations.items.list(talk.conversation)
        assert [item.type for item in items.data] == TURN
        answer = await client.responses.create(model=MODEL, input="And?", conversation=talk.conversation)
    else:
        answer = await client.responses.create(model=MODEL, input="And?", previous_response_id=talk.acknowledged)
    assert answer.status == "completed"


async def test_all_that_was_acknowledged_is_readable_and_goes_on(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    talks = [Talk(number) for number in range(CONVERSATIONS)]
    with running("serve", "--port", "0", home=tmp_path, extra=environment) as command:
        port = await asyncio.to_thread(command.port)
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as client:
            killer = Killer(command, CONVERSATIONS // 2)
            await asyncio.gather(*(killer.begin(talk, client) for talk in talks))
        await asyncio.to_thread(command.end)
    acknowledged = [talk for talk in talks if talk.acknowledged]
    assert CONVERSATIONS // 2 <= len(acknowledged) < CONVERSATIONS

    simulator.forget()
    with running("serve", "--port", "0", home=tmp_path, extra=environment) as command:
        port = await asyncio.to_thread(command.port)
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as client:
            for talk in acknowledged:
                await go_on(talk, client)
            begun = [talk for talk in talks if talk.conversation and not talk.acknowledged]
            for talk in begun:
                assert talk.conversation
                items = await client.conversations.items.list(talk.conversation)
                assert [item.type for item in items.data] in ([], TURN), "a turn is in it as a whole or not at all"

    asked: list[Any] = [request.json["messages"] for request in simulator.requests if request.is_message]
    assert len(asked) == len(acknowledged)
    for talk, messages in zip(acknowledged, asked, strict=True):
        assert [message["role"] for message in messages] == ["user", "assistant", "user"]
        assert [texts(message) for message in messages] == [[talk.question], [talk.said], ["And?"]]


def texts(message: Any) -> list[str]:
    return [block["text"] for block in message["content"] if block["type"] == "text"]
