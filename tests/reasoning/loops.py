"""An agent's tool loop through the plain OpenAI SDK, which cannot carry thinking, and the simulator's books on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from openai import AsyncOpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState

from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.simulator.received import ReceivedRequest

JSONObject = dict[str, Any]

SYSTEM = "You are an agent that looks things up. " * 700
"""Longer than the shortest prefix that any model caches."""
TOOL: JSONObject = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks one thing up.",
        "parameters": {"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]},
    },
}
KEPT = ("role", "content", "tool_calls")
"""Of an answer, what clients hand back."""
FOUND = "What is known of it fills some lines here. " * 20
"""A result."""


@dataclass
class Loop:
    """One conversation. `messages` is all that the client has: what the SDK's own types carry."""

    client: AsyncOpenAI
    model: str
    streamed: bool = False
    options: JSONObject = field(default_factory=dict)
    messages: list[JSONObject] = field(default_factory=list)
    found: str = FOUND
    """What each call returns."""
    remember: Callable[[JSONObject, JSONObject], JSONObject] = lambda said, _: said
    """What the client keeps, of that and of the whole message."""

    @classmethod
    def of_rounds(
        cls, client: AsyncOpenAI, model: str, rounds: int, calls: int = 1, system: str = SYSTEM, **more: Any
    ) -> "Loop":
        """The simulated model calls `calls` times in each of so many answers, and then says something."""
        asked = f"Look it up in {rounds} rounds of {calls} calls"
        messages = [{"role": "system", "content": system}, {"role": "user", "content": asked}]
        return cls(client, model, messages=messages, **more)

    async def turn(self) -> list[str]:
        """Ask once and hand the results back; the ids of the calls."""
        message = await self._answer()
        calls = message.get("tool_calls") or []
        said = {name: message[name] for name in KEPT if message.get(name) is not None}
        self.messages.append(self.remember(said, message))
        ids = [call["id"] for call in calls]
        self.messages += [{"role": "tool", "tool_call_id": id_, "content": self.found} for id_ in ids]
        return ids

    async def run(self, most: int = 100) -> int:
        """To the answer without a call; the number of answers."""
        for number in range(1, most):
            if not await self.turn():
                return number
        raise AssertionError("the loop has no end")

    async def _answer(self) -> JSONObject:
        asked: JSONObject = {"model": self.model, "messages": self.messages, "tools": [TOOL], **self.options}
        if not self.streamed:
            completion = await self.client.chat.completions.create(**asked)
            return completion.choices[0].message.to_dict()
        state = ChatCompletionStreamState()
        async for chunk in await self.client.chat.completions.create(**asked, stream=True):
            state.handle_chunk(chunk)
        return state.current_completion_snapshot.choices[0].message.to_dict()


def asked_of(simulator: Simulator) -> list[ReceivedRequest]:
    """The messages that reached Claude's side."""
    return [request for request in simulator.requests if request.is_message]


def turns_of(request: ReceivedRequest) -> list[list[JSONObject]]:
    """The blocks of each assistant turn that went out."""
    messages: Any = request.json["messages"]
    return [message["content"] for message in messages if message["role"] == "assistant"]


def thought_turns(request: ReceivedRequest) -> list[bool]:
    """For each of them whether it begins with its thinking."""
    return [turn[0]["type"] in ("thinking", "redacted_thinking") for turn in turns_of(request)]


def shares_read(requests: Sequence[ReceivedRequest]) -> list[float]:
    """Of each request's input tokens, how much was read from the cache."""
    uses = [request.cache for request in requests if request.cache is not None]
    return [use.read / (use.read + use.written + use.uncached) for use in uses]


def all_that_was_written_is_read(requests: Sequence[ReceivedRequest]) -> bool:
    """Each request reads at least what the one before it read and wrote: nothing is paid twice."""
    uses = [request.cache for request in requests if request.cache is not None]
    return all(after.read >= before.read + before.written for before, after in pairwise(uses))
