"""`models`: the aliases, what they stand for now, and every model that the login offers."""

import argparse
import asyncio

import msgspec

from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.serving.streams import complain, say

HELP = "list the aliases and models"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Where the models are asked for, and how they are printed."""
    add_settings_flags(parser, "upstream", "log_level")
    parser.add_argument("--json", action="store_true", help="print the body of GET /v1/models")


def run(invocation: Invocation) -> int:
    """Not OK where upstream could not be asked: then what is printed is the built-in list."""
    wiring = wire(invocation.settings())
    wiring.log.install()
    return asyncio.run(_print(wiring, as_json=invocation.arguments.json))


async def _print(wiring: Wiring, *, as_json: bool) -> int:
    async with wiring.running():
        if as_json:
            say([msgspec.json.format(msgspec.json.encode(await wiring.models()), indent=2).decode()])
        else:
            say(await wiring.model_lines())
        trouble = wiring.models_trouble()
    if not trouble:
        return OK
    complain([f"{PROGRAM}: These are the built-in models, not what your login offers: {trouble}"])
    return PROBLEMS_FOUND
