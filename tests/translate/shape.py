"""What a request shape is: a body that OpenAI would take, and what must be true of it upstream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from claude_openai_proxy.translate.models.facts import ModelFacts
from translate.sent import Sent

Meaning = Callable[[Sent, ModelFacts], bool]
JSONObject = dict[str, object]

PNG_DATA = "iVBORw0KGgoAAAANSUhEUg=="
PNG = f"data:image/png;base64,{PNG_DATA}"
JPEG_DATA = "/9j/4AAQSkZJRgABAQAAAQABAAD/2w=="
PDF_DATA = "JVBERi0xLjQKJcOkw7zDtsOf"
HELLO: tuple[object, ...] = ({"role": "user", "content": "Hello"},)


@dataclass(frozen=True, slots=True)
class Shape:
    """`name` begins with the bullet of the table that it stands for.

    Where `refused` is set, the request gets 400 with this `param`; otherwise `meaning` holds for every model.
    `ignored` are the fields that must be reported, where they are the same for every model. A shape that says
    something of `metadata` is `api_only`: Claude Code keeps its own.
    """

    name: str
    body: JSONObject
    meaning: Meaning | None = None
    refused: str | None = None
    ignored: Sequence[str] | None = None
    api_only: bool = False


def user(content: object, **more: object) -> JSONObject:
    """A user message."""
    return {"role": "user", "content": content, **more}


def assistant(content: object = None, **more: object) -> JSONObject:
    """An assistant message."""
    return {"role": "assistant", "content": content, **more}


def call(id_: str, name: str = "f", arguments: object = "{}") -> JSONObject:
    """A tool call."""
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(id_: str, content: object = "ok") -> JSONObject:
    """A tool message."""
    return {"role": "tool", "tool_call_id": id_, "content": content}


def function(name: str = "f", parameters: object = None, **more: object) -> JSONObject:
    """A function tool."""
    schema = {"type": "object", "properties": {}} if parameters is None else parameters
    return {"type": "function", "function": {"name": name, "parameters": schema, **more}}


def text(words: str, **more: object) -> JSONObject:
    """A text part."""
    return {"type": "text", "text": words, **more}


def fields(name: str, meaning: Meaning, **body: object) -> Shape:
    """A greeting with some fields."""
    return Shape(name, {"messages": HELLO, **body}, meaning)


def talk(name: str, meaning: Meaning, *messages: JSONObject, **body: object) -> Shape:
    """A conversation."""
    return Shape(name, {"messages": list(messages), **body}, meaning)


def declined(name: str, *ignored: str, **body: object) -> Shape:
    """Fields that have no effect, and are reported."""
    return Shape(name, {"messages": HELLO, **body}, _greets, ignored=ignored)


def refused(name: str, param: str, **body: object) -> Shape:
    """A request that gets 400 and the place."""
    return Shape(name, {"messages": HELLO, **body}, refused=param)


def _greets(sent: Sent, _: ModelFacts) -> bool:
    return sent.roles == ["user"] and sent.texts("user") == ["Hello"]
