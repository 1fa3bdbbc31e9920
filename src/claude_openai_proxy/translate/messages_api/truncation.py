"""A conversation that is too long, without its oldest turns: for clients that ask for that instead of an error."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest, ToolResultBlockParam

TRUNCATED: Final = "oldest_turns_left_out"
_TOO_LONG: Final = re.compile(r"too long: (?P<tokens>\d+) tokens > (?P<most>\d+) maximum")
_MARGIN: Final = 0.95
"""Tokens are not spread evenly over bytes."""
_encode: Final = msgspec.json.Encoder().encode


def truncated(request: MessagesRequest, message: str) -> MessagesRequest | None:
    """Without as many of the oldest turns as upstream's `message` asks for.

    A turn goes with its calls and their results; the system prompt and the user's last turn stay. None where the
    message is another one, or where what stays would still be too long.
    """
    found = _TOO_LONG.search(message)
    if found is None:
        return None
    turns = _turns(request.messages)
    rest = len(_encode(replace(request, messages=[])))
    sizes = [sum(len(_encode(part)) for part in turn) for turn in turns]
    room = (rest + sum(sizes)) * int(found["most"]) / int(found["tokens"]) * _MARGIN - rest
    kept = len(turns)
    while kept and sum(sizes[-kept:]) > room:
        kept -= 1
    if not kept or kept == len(turns):
        return None
    return replace(request, messages=[part for turn in turns[-kept:] for part in turn])


def _turns(messages: Sequence[MessageParam]) -> list[list[MessageParam]]:
    """Each from a question of the user's to the next one: what a tool returned is no question."""
    turns: list[list[MessageParam]] = []
    for message in messages:
        question = message.role == "user" and not any(isinstance(b, ToolResultBlockParam) for b in message.content)
        if question or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns
