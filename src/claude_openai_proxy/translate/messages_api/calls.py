"""One call of a client's tool, from `tool_use` block to deltas: function call, legacy function call, custom call."""

from typing import Protocol

from claude_openai_proxy.protocols.anthropic import ToolUseBlock
from claude_openai_proxy.protocols.openai_chat_response import (
    ChoiceDelta,
    CustomToolCallDelta,
    FunctionCallDelta,
    ToolCallDelta,
)
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.custom_input import CustomInputDecoder


class CallStream(Protocol):
    """A call under way: its first delta, then its arguments as they come."""

    def opening(self) -> ChoiceDelta:
        """Id, type and name."""
        ...

    def feed(self, partial_json: str) -> list[ChoiceDelta]:
        """More JSON text of the input."""
        ...

    def end(self, *, cut: bool) -> list[ChoiceDelta]:
        """What is missing still; `cut`: the answer ran out of tokens within this call."""
        ...


class FunctionCallStream:
    """A call of a function tool: the JSON text of Claude's input is OpenAI's `arguments`."""

    def __init__(self, block: ToolUseBlock, name: str, index: int) -> None:
        self._block = block
        self._name = name
        self._index = index
        self._grown = False

    def opening(self) -> ChoiceDelta:
        """Id, type and name."""
        function = FunctionCallDelta(name=self._name, arguments="")
        return ChoiceDelta(
            tool_calls=[ToolCallDelta(index=self._index, id=self._block.id, type="function", function=function)]
        )

    def feed(self, partial_json: str) -> list[ChoiceDelta]:
        """A piece of the arguments."""
        if not partial_json:
            return []
        self._grown = True
        return [self._piece(partial_json)]

    def end(self, *, cut: bool) -> list[ChoiceDelta]:
        """An input that came with the block's start, or `{}`; a cut call that has no arguments yet gets none."""
        if self._grown:
            return []
        whole = _whole_input(self._block)
        return [] if cut and whole == "{}" else [self._piece(whole)]

    def _piece(self, arguments: str) -> ChoiceDelta:
        function = FunctionCallDelta(arguments=arguments)
        return ChoiceDelta(tool_calls=[ToolCallDelta(index=self._index, function=function)])


class LegacyFunctionCallStream(FunctionCallStream):
    """The same as `function_call`, for clients that sent `functions`."""

    def opening(self) -> ChoiceDelta:
        """Name; this form has no id."""
        return ChoiceDelta(function_call=FunctionCallDelta(name=self._name, arguments=""))

    def _piece(self, arguments: str) -> ChoiceDelta:
        return ChoiceDelta(function_call=FunctionCallDelta(arguments=arguments))


class CustomCallStream:
    """A call of a free-form tool: the property `input` of Claude's input is OpenAI's `input`."""

    def __init__(self, block: ToolUseBlock, name: str, index: int) -> None:
        self._block = block
        self._name = name
        self._index = index
        self._grown = False
        self._decoder = CustomInputDecoder()

    def opening(self) -> ChoiceDelta:
        """Id, type and name."""
        custom = CustomToolCallDelta(name=self._name, input="")
        return ChoiceDelta(
            tool_calls=[ToolCallDelta(index=self._index, id=self._block.id, type="custom", custom=custom)]
        )

    def feed(self, partial_json: str) -> list[ChoiceDelta]:
        """A piece of the input, once it is certain."""
        if not partial_json:
            return []
        self._grown = True
        return self._pieces(self._decoder.feed(partial_json))

    def end(self, *, cut: bool) -> list[ChoiceDelta]:
        """What the decoder still held."""
        piece = "" if self._grown else self._decoder.feed(_whole_input(self._block))
        return self._pieces(piece + self._decoder.end(cut=cut))

    def _pieces(self, text: str) -> list[ChoiceDelta]:
        if not text:
            return []
        return [ChoiceDelta(tool_calls=[ToolCallDelta(index=self._index, custom=CustomToolCallDelta(input=text))])]


def open_call(block: ToolUseBlock, plan: AnswerPlan, index: int) -> CallStream | None:
    """The call number `index` of an answer; None for a second legacy call, which that form cannot express."""
    name = plan.tool_names.get(block.name, block.name)
    if plan.legacy_function_call:
        return LegacyFunctionCallStream(block, name, index) if index == 0 else None
    if name in plan.custom_tools:
        return CustomCallStream(block, name, index)
    return FunctionCallStream(block, name, index)


def _whole_input(block: ToolUseBlock) -> str:
    text = bytes(block.input).decode().strip()
    return "{}" if text in {"", "null"} else text
