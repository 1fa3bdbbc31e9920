"""python llama_index_client.py SCENARIO...: asks the proxy at OPENAI_BASE_URL through OpenAILike, prints JSON."""

import json
import os
import sys
from collections.abc import Callable

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

QUESTION = [ChatMessage(role="system", content="Be short."), ChatMessage(role="user", content="Weather in Paris?")]


class Place(BaseModel):
    """A place."""

    city: str
    country: str


def model() -> OpenAILike:
    return OpenAILike(
        model=os.environ["MODEL"],
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key="any value",
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
        context_window=200_000,
    )


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"18 degrees in {city}"


def complete() -> object:
    return model().complete("Say hello.").text


def chat() -> object:
    return model().chat(QUESTION).message.content


def stream() -> object:
    return "".join(part.delta or "" for part in model().stream_chat(QUESTION))


def tools() -> object:
    result = model().predict_and_call([FunctionTool.from_defaults(get_weather)], "Weather in Paris?")
    return str(result)


def structured() -> object:
    return model().as_structured_llm(Place).complete("Where?").raw.model_dump()


SCENARIOS: dict[str, Callable[[], object]] = {
    "complete": complete,
    "chat": chat,
    "stream": stream,
    "tools": tools,
    "structured": structured,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: SCENARIOS[name]() for name in sys.argv[1:]}) + "\n")
