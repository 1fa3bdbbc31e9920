"""`chat`: one question, and its answer as it comes. No server: the request takes the way that a client's would."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from claude_openai_proxy.app.wiring import wire
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, UserMessage
from claude_openai_proxy.protocols.openai_chat_response import ChunkChoice
from claude_openai_proxy.serving.streams import complain, say, say_on
from claude_openai_proxy.settings import SettingsError

HELP = "ask one question and see the answer as it comes"
MODEL = "custom-claude-4-sonnet"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What is asked, and who answers."""
    parser.add_argument("question", nargs="+", help="in words; - reads them from standard input")
    parser.add_argument("--model", default=MODEL, help=f"an alias, a line or a model id ({MODEL})")
    add_settings_flags(parser, "upstream", "log_level")


def run(invocation: Invocation) -> int:
    """Not OK where there is no answer, or only half of one. Raises `SettingsError`."""
    question = _question(invocation.arguments.question)
    return asyncio.run(_ask(invocation, question))


def _question(words: Sequence[str]) -> str:
    text = sys.stdin.read() if list(words) == ["-"] else " ".join(words)
    if not text.strip():
        raise SettingsError(f'There is no question. Like this: {PROGRAM} chat "Hello"')
    return text


async def _ask(invocation: Invocation, question: str) -> int:
    wiring = wire(invocation.settings())
    wiring.log.install()
    request = ChatCompletionRequest(
        model=invocation.arguments.model, messages=[UserMessage(content=question)], stream=True
    )
    said = False
    async with wiring.running():
        try:
            async with wiring.chat(request) as answer:
                async for batch in answer:
                    say_on(text := _text(batch))
                    said = said or bool(text)
            failure = ""
        except ProxyError as error:
            failure = error.message
    say([""] if said else [])
    complain([f"{PROGRAM}: {failure}"] if failure else [])
    return PROBLEMS_FOUND if failure else OK


def _text(batch: Sequence[ChunkChoice]) -> str:
    """What the terminal must not obey stays out; lines and tabs may."""
    text = "".join(chunk.delta.content or chunk.delta.refusal or "" for chunk in batch)
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
