"""One call of a client's tool, from `tool_use` block to the text of its arguments: JSON, or a custom tool's input."""

from typing import Protocol

from claude_openai_proxy.protocols.anthropic import ToolUseBlock
from claude_openai_proxy.translate.messages_api.custom_input import CustomInputDecoder


class CallInput(Protocol):
    """The input of a call under way; pieces may be empty."""

    def feed(self, partial_json: str) -> str:
        """More JSON text of the input; the piece that is certain by now."""
        ...

    def end(self, *, cut: bool) -> str:
        """What is missing still; `cut`: the answer ran out of tokens within this call."""
        ...


class FunctionInput:
    """A function tool's: the JSON text goes on as it comes."""

    def __init__(self, block: ToolUseBlock) -> None:
        self._block = block
        self._grown = False

    def feed(self, partial_json: str) -> str:
        """The same piece."""
        if partial_json:
            self._grown = True
        return partial_json

    def end(self, *, cut: bool) -> str:
        """An input that came with the block's start, or `{}`; a cut call that has no arguments yet gets none."""
        if self._grown:
            return ""
        whole = _whole_input(self._block)
        return "" if cut and whole == "{}" else whole


class CustomInput:
    """A free-form tool's: the string in the property `input`, decoded."""

    def __init__(self, block: ToolUseBlock) -> None:
        self._block = block
        self._grown = False
        self._decoder = CustomInputDecoder()

    def feed(self, partial_json: str) -> str:
        """A piece of the input, once it is certain."""
        if not partial_json:
            return ""
        self._grown = True
        return self._decoder.feed(partial_json)

    def end(self, *, cut: bool) -> str:
        """What the decoder still held."""
        piece = "" if self._grown else self._decoder.feed(_whole_input(self._block))
        return piece + self._decoder.end(cut=cut)


def _whole_input(block: ToolUseBlock) -> str:
    text = bytes(block.input).decode().strip()
    return "{}" if text in {"", "null"} else text
