"""Input items into a conversation, one after the other.

Reasoning stands where it stood in Claude's turn: its blocks go in front of what follows them. A search on the web is
given back whole where its blocks came along, and told in words otherwise; which of the two shows only once the next
item is no reasoning any more, so searches wait until then.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.protocols.anthropic import TextBlockParam
from claude_openai_proxy.translate.messages_api.conversation import Conversation, text_blocks
from claude_openai_proxy.translate.messages_api.kept_turns import Bound
from claude_openai_proxy.translate.messages_api.open_calls import ResultContent
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.responses.content import ContentReader
from claude_openai_proxy.translate.responses.items import Placed
from claude_openai_proxy.translate.responses.opened import Envelopes, LeftOut, Opened, Reason
from claude_openai_proxy.translate.responses.tools import OfferedTools, names_of
from claude_openai_proxy.translate.responses.words import is_assistants, is_told, told
from claude_openai_proxy.translate.wishes.arguments import call_input, custom_input, object_input

SUMMARY: Final = "This conversation began earlier. A summary of what came before:"
LOST_SUMMARY: Final = "(An earlier part of this conversation was put together in a form that cannot be read here.)"
_OUTPUTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "function_call_output": "function call output",
        "custom_tool_call_output": "custom tool call output",
        "local_shell_call_output": "local shell call output",
        "shell_call_output": "shell call output",
        "apply_patch_call_output": "apply patch call output",
    }
)
"""What the published API calls them in its errors."""


_THINKING: Final = ("thinking", "redacted_thinking")


class _Block(Struct, frozen=True):
    type: str = ""


_block: Final = msgspec.json.Decoder(_Block).decode


class TurnReader:
    """Feeds a conversation. `chained`: what came before is stored, and a result without its call is a mistake."""

    def __init__(
        self,
        conversation: Conversation,
        tools: OfferedTools,
        content: ContentReader,
        notes: Notes,
        *,
        envelopes: Envelopes,
        chained: bool,
    ) -> None:
        self._conversation = conversation
        self._tools = tools
        self._content = content
        self._notes = notes
        self._envelopes = envelopes
        self._chained = chained
        self._calls: dict[str, str] = {}
        """Ids by which results may name a call -> its call id."""
        self._given_back = 0
        """Searches whose blocks are in the turn and whose items have not come yet."""
        self._searches: list[str] = []
        """Told in words unless their blocks come yet."""
        self.left_out: list[LeftOut] = []
        self.bound: dict[bytes, Bound] = {}
        """Thinking that came along, by its block."""

    def read(self, items: Sequence[Placed], *, current_turn: bool = False) -> None:
        """All of them. Raises `InvalidRequestError` at the place that cannot be read.

        `current_turn`: thinking of turns before the last message of the user's stays out.
        """
        begins = _last_question(items) if current_turn else 0
        for number, placed in enumerate(items):
            kind = type(placed.item)
            if kind is published.ReasoningItem and number < begins:
                self._leave_out(placed.item, "turn_boundary")
                continue
            if kind is not published.ReasoningItem and kind is not published.WebSearchCall:
                self._tell_searches()
            reader = self._READERS.get(kind)
            if reader is not None:
                reader(self, placed)
            elif placed.item is None:
                self._unknown(placed)
        self._tell_searches()

    # ---- messages ---------------------------------------------------------------------------------------------------

    def _message(self, placed: Placed) -> None:
        item: published.Message = placed.item
        if item.role == "user":
            self._conversation.ask(self._content.seen(item.content, placed.place))
        elif item.role == "assistant":
            self._conversation.say(self._content.text(item.content, placed.place))
        else:
            self._conversation.instruct(self._content.text(item.content, placed.place))

    def _unknown(self, placed: Placed) -> None:
        """Of a type that nobody knows, or that has no form at Claude's."""
        type_, raw = placed.type, placed.raw
        if not is_told(type_):
            return
        self._notes.decline(f"input[].{type_[:60]}", "Claude has no form for it, so it is told in words")
        line = text_blocks(told(type_, raw))
        image = _image_of(type_, raw)
        if is_assistants(type_):
            self._conversation.say(line)
            line = []
        shown = None if image is None else self._content.returned(image, placed.place)
        seen = [*line, *([shown] if shown else [])]
        if seen:
            self._conversation.ask(seen)

    # ---- calls ------------------------------------------------------------------------------------------------------

    def _function_call(self, placed: Placed) -> None:
        item: published.FunctionCall = placed.item
        name = self._tools.name_of(item.namespace, item.name) or _joined(item.namespace, item.name)
        self._call(item.call_id, item.id, name, call_input(item.arguments, self._notes))

    def _custom_call(self, placed: Placed) -> None:
        item: published.CustomToolCall = placed.item
        name = self._tools.name_of(item.namespace, item.name) or _joined(item.namespace, item.name)
        self._call(item.call_id, item.id, name, custom_input(item.input))

    def _shell_call(self, placed: Placed) -> None:
        item: published.ShellCall = placed.item
        own = "local_shell" if placed.type == "local_shell_call" else "shell"
        action: dict[str, object] = msgspec.to_builtins(item.action)
        action.pop("type", None)
        self._own_call(own, item.call_id, item.id, Raw(msgspec.json.encode(action)))

    def _patch_call(self, placed: Placed) -> None:
        item: published.ApplyPatchCall = placed.item
        self._own_call("apply_patch", item.call_id, item.id, Raw(b'{"operation":%b}' % bytes(item.operation)))

    def _tool_search_call(self, placed: Placed) -> None:
        item: published.ToolSearchCall = placed.item
        arguments = item.arguments if item.arguments and bytes(item.arguments) != b"null" else Raw(b"{}")
        self._own_call("tool_search", item.call_id, item.id, object_input(arguments, self._notes))

    def _own_call(self, own: str, call_id: str | None, id_: str | None, given: Raw) -> None:
        self._call(call_id, id_, self._tools.name_of(None, own, own) or own, given)

    def _call(self, call_id: str | None, id_: str | None, name: str, given: Raw) -> None:
        asked = call_id or id_
        for known in (call_id, id_):
            if known and asked:
                self._calls[known] = asked
        self._conversation.call(asked, name, given)

    # ---- what tools returned ----------------------------------------------------------------------------------------

    def _output(self, placed: Placed) -> None:
        item: published.CallOutput = placed.item
        asked = item.call_id or (item.id if placed.type == "local_shell_call_output" else None)
        if asked is None and item.name is None:
            raise InvalidRequestError(
                f"Missing required parameter: '{placed.place}.call_id'.",
                param=f"{placed.place}.call_id",
                code="missing_required_parameter",
            )
        if self._chained and asked is not None and asked not in self._calls:
            raise InvalidRequestError(
                f"No tool call found for {_OUTPUTS[placed.type]} with call_id {asked}.", param="input"
            )
        name = (self._tools.name_of(item.namespace, item.name) or item.name) if item.name else ""
        is_error = True if placed.type == "apply_patch_call_output" and item.status == "failed" else UNSET
        self._conversation.answer(
            self._calls.get(asked, asked) if asked else "",
            self._content.result(item.output, placed.place),
            name=name,
            is_error=is_error,
        )

    def _tool_search_output(self, placed: Placed) -> None:
        item: published.ToolSearchOutput = placed.item
        names = ", ".join(names_of(item.tools))
        content: ResultContent = f"Found, and to be called from now on: {names}." if names else "Nothing was found."
        declared = self._tools.name_of(None, "tool_search", "tool_search") or "tool_search"
        asked = item.call_id or ""
        self._conversation.answer(self._calls.get(asked, asked), content, name=declared)

    # ---- thinking and searches --------------------------------------------------------------------------------------

    def _reasoning(self, placed: Placed) -> None:
        """What cannot be opened is left out: the turn may be known by its calls or its words all the same."""
        item: published.ReasoningItem = placed.item
        if not item.encrypted_content:
            return
        opened = self._envelopes.get(item.encrypted_content, Opened(trouble="organization_mismatch"))
        if opened.trouble is not None or not opened.blocks:
            self._leave_out(item, opened.trouble or "organization_mismatch")
            return
        self._conversation.say(opened.blocks)
        for block in opened.blocks:
            if _block(block).type in _THINKING:
                self.bound[bytes(block)] = Bound(item.id or "", opened.model, opened.upstream, opened.prefix)
        self._give_back(sum(1 for block in opened.blocks if _block(block).type == "server_tool_use"))

    def _leave_out(self, item: published.ReasoningItem, reason: Reason) -> None:
        if item.encrypted_content:
            self.left_out.append(LeftOut(item.id, reason))

    def _give_back(self, searches: int) -> None:
        waiting = min(searches, len(self._searches))
        del self._searches[:waiting]
        self._given_back += searches - waiting

    def _web_search_call(self, placed: Placed) -> None:
        if self._given_back:
            self._given_back -= 1
        else:
            self._searches.append(told("web_search_call", placed.raw))

    def _tell_searches(self) -> None:
        for line in self._searches:
            self._conversation.say(text_blocks(line))
        self._searches.clear()

    def _compaction(self, placed: Placed) -> None:
        item: published.Compaction = placed.item
        opened = self._envelopes.get(item.encrypted_content or "", Opened())
        if opened.summary:
            self._conversation.ask([TextBlockParam(f"{SUMMARY}\n\n{opened.summary}")])
            return
        self._notes.decline("input[].compaction", "it was not made here, or with another key")
        self._conversation.ask([TextBlockParam(LOST_SUMMARY)])

    _READERS: ClassVar[Mapping[type, "Callable[[TurnReader, Placed], None]"]] = MappingProxyType(
        {
            published.Message: _message,
            published.FunctionCall: _function_call,
            published.CustomToolCall: _custom_call,
            published.CallOutput: _output,
            published.ReasoningItem: _reasoning,
            published.ShellCall: _shell_call,
            published.ApplyPatchCall: _patch_call,
            published.ToolSearchCall: _tool_search_call,
            published.ToolSearchOutput: _tool_search_output,
            published.WebSearchCall: _web_search_call,
            published.Compaction: _compaction,
        }
    )


def _joined(namespace: str | None, name: str) -> str:
    """For a tool that is not declared any more."""
    return f"{namespace}__{name}" if namespace and namespace != "functions" else name


def _last_question(items: Sequence[Placed]) -> int:
    """The number of the user's last message; 0 where there is none."""
    for number in range(len(items) - 1, -1, -1):
        item = items[number].item
        if isinstance(item, published.Message) and item.role == "user":
            return number
    return 0


class _Picture(Struct, frozen=True):
    image_url: str | None = None


class _Pictured(Struct, frozen=True):
    """Items that show an image: base64 of one that was made, a URL of a screen."""

    result: str | None = None
    output: _Picture | None = None


def _image_of(type_: str, raw: Raw) -> Raw | None:
    """As a part."""
    if type_ not in {"image_generation_call", "computer_call_output"}:
        return None
    try:
        pictured = msgspec.json.decode(raw, type=_Pictured)
    except msgspec.DecodeError:
        return None
    url = pictured.output.image_url if pictured.output else pictured.result
    return Raw(msgspec.json.encode({"type": "input_image", "image_url": url})) if url else None
