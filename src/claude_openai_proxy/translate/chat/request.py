"""A chat completions request -> a Messages request, and what its answer's translator must know."""

import hashlib
from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    Metadata,
    OutputConfig,
    TextBlockParam,
    ThinkingConfigEnabled,
    ToolChoiceNone,
    ToolParam,
    WebSearchTool,
)
from claude_openai_proxy.protocols.openai_chat_request import (
    AssistantMessage,
    ChatCompletionRequest,
    ResponseFormatJSONObject,
    ServiceTier,
)
from claude_openai_proxy.translate.chat.content import Reader
from claude_openai_proxy.translate.chat.declined import decline_fields
from claude_openai_proxy.translate.chat.messages import MessageReader
from claude_openai_proxy.translate.messages_api.answer_plan import NO_NAMES, AnswerPlan
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.conversation import Conversation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.schemas.tool_schema import NO_PARAMETERS
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks, automatic_mark, with_legal_marks
from claude_openai_proxy.translate.wishes.instructions import CONTINUE, standing_instructions
from claude_openai_proxy.translate.wishes.notes import Notes
from claude_openai_proxy.translate.wishes.response_format import ANY_OBJECT, answer_format
from claude_openai_proxy.translate.wishes.sampling import max_tokens, sampling, stops
from claude_openai_proxy.translate.wishes.thinking import Reasoning, Surroundings, reasoning
from claude_openai_proxy.translate.wishes.tool_choice import Choice, choose_tools
from claude_openai_proxy.translate.wishes.tools import Tools, declared_tools


class Translation(Struct, frozen=True, kw_only=True):
    """What goes upstream, and what is told about it."""

    request: MessagesRequest
    plan: AnswerPlan
    ignored: tuple[str, ...]
    """Fields without effect, as the client named them."""
    repairs: tuple[str, ...]
    """Words for the record: what was changed so that Claude takes the request."""
    retry: MessagesRequest | None = None
    """The one second request of an emulated tool choice, for when the first answer made no call."""


def to_messages_request(
    request: ChatCompletionRequest,
    *,
    facts: ModelFacts,
    capabilities: Capabilities,
    unknown: Sequence[str] = (),
    reject_unsupported: bool = False,
) -> Translation:
    """Translate for one model and one upstream.

    `unknown` are the names of top-level fields that the request's type does not have. Raises `InvalidRequestError`;
    with `reject_unsupported` also for each field that would have no effect.
    """
    notes = Notes(reject=reject_unsupported)
    decline_fields(request, notes)
    notes.decline_all(unknown)
    return _Assembly(request, facts, capabilities, notes).translation()


class _Parts(Struct, frozen=True, kw_only=True):
    """What a Messages request is put together from."""

    tools: Tools
    choice: Choice
    messages: list[MessageParam]
    system: list[TextBlockParam]
    max_tokens: int
    thinking: Reasoning


class _Assembly:
    """The steps of one translation, in the order in which they need each other."""

    def __init__(
        self, request: ChatCompletionRequest, facts: ModelFacts, capabilities: Capabilities, notes: Notes
    ) -> None:
        self._request = request
        self._facts = facts
        self._capabilities = capabilities
        self._notes = notes
        self._marks = CacheMarks()
        self._format = answer_format(request, facts, notes)
        self._stops = stops(request)

    def translation(self) -> Translation:
        parts = self._parts()
        choice = parts.choice
        built = with_legal_marks(self._put_together(parts), self._marks, self._notes)
        return Translation(
            request=_instructed(built, choice.instruction, self._facts),
            plan=self._plan(parts),
            ignored=self._notes.ignored,
            repairs=self._notes.repairs,
            retry=_instructed(built, choice.second_instruction, self._facts) if choice.second_instruction else None,
        )

    def _parts(self) -> _Parts:
        tools = declared_tools(self._request, self._facts, self._marks, self._notes, beside=self._format.native)
        choice = choose_tools(self._request, tools, self._facts, self._notes)
        conversation = self._conversation(tools)
        choice = self._with_called_tools(choice, tools, conversation)
        messages = conversation.messages()
        limit = max_tokens(self._request, self._facts, self._notes)
        around = Surroundings(max_tokens=limit, forced_tool=choice.forced, messages=messages)
        thinking = reasoning(self._request, self._facts, around, self._notes)
        return _Parts(
            tools=tools,
            choice=choice,
            messages=self._with_legal_end(messages, thinking),
            system=conversation.system + self._instructions(),
            max_tokens=limit,
            thinking=thinking,
        )

    def _put_together(self, parts: _Parts) -> MessagesRequest:
        thinking = parts.thinking
        sampled = sampling(self._request, self._facts, thinking=thinking.on, notes=self._notes)
        return MessagesRequest(
            model=self._facts.id,
            max_tokens=parts.max_tokens,
            messages=parts.messages,
            system=parts.system or UNSET,
            tools=_offered(parts) or UNSET,
            tool_choice=parts.choice.tool_choice,
            stop_sequences=self._stops.native or UNSET,
            temperature=sampled.temperature,
            top_p=sampled.top_p,
            top_k=sampled.top_k,
            thinking=thinking.config,
            output_config=self._output_config(thinking),
            service_tier=_service_tier(self._request.service_tier),
            metadata=self._metadata(),
            cache_control=automatic_mark(self._request, self._marks),
        )

    # ---- steps --------------------------------------------------------------------------------------------------

    def _conversation(self, tools: Tools) -> Conversation:
        conversation = Conversation(self._notes, system_in_messages=self._facts.system_in_messages)
        reader = Reader(self._marks, self._notes, citations=self._format.asked is None)
        MessageReader(conversation, reader, tools.names, self._notes).read(self._request.messages)
        return conversation

    def _with_called_tools(self, choice: Choice, tools: Tools, conversation: Conversation) -> Choice:
        """A history with calls needs tools: those that were called are declared again, and calls forbidden."""
        called = conversation.called
        if choice.params or not called:
            return choice
        if tools.web_search is not None:
            return choice
        params = [ToolParam(tools.names.alias(name), NO_PARAMETERS) for name in called]
        return Choice(params, ToolChoiceNone())

    def _with_legal_end(self, messages: list[MessageParam], thinking: Reasoning) -> list[MessageParam]:
        """A last turn of the assistant is a prefill where the model takes one, otherwise it is asked to go on."""
        last = messages[-1]
        if last.role != "assistant":
            return messages
        budget = isinstance(thinking.config, ThinkingConfigEnabled)
        text = last.content[-1]
        if self._facts.prefill and not budget and self._format.asked is None and isinstance(text, TextBlockParam):
            trimmed = replace(text, text=text.text.rstrip())
            return [*messages[:-1], MessageParam("assistant", [*last.content[:-1], trimmed])]
        self._notes.repair("prefill_emulated")
        return [*messages, MessageParam("user", [TextBlockParam(CONTINUE)])]

    def _instructions(self) -> list[TextBlockParam]:
        spoken = standing_instructions(self._request)
        if self._format.instruction:
            spoken.append(self._format.instruction)
        return [TextBlockParam(text) for text in spoken]

    def _output_config(self, thinking: Reasoning) -> OutputConfig | UnsetType:
        format_ = self._format.param
        if format_ is None and thinking.effort is UNSET:
            return UNSET
        return OutputConfig(effort=thinking.effort, format=format_ or UNSET)

    def _metadata(self) -> Metadata | UnsetType:
        """The end user's id, hashed: clients send e-mail addresses, which Claude refuses."""
        user = self._request.safety_identifier or self._request.user
        if not user:
            return UNSET
        if self._capabilities.metadata:
            return Metadata(hashlib.sha256(user.encode()).hexdigest())
        for name in ("safety_identifier", "user"):
            if getattr(self._request, name):
                self._notes.decline(name, "Claude Code keeps the identity that it is logged in with")
        return UNSET

    def _plan(self, parts: _Parts) -> AnswerPlan:
        tools = parts.tools
        return AnswerPlan(
            tool_names=tools.names.client_names or NO_NAMES,
            custom_tools=tools.custom,
            legacy_function_call=bool(self._request.functions and not self._request.tools),
            reasoning=parts.thinking.shown,
            stop_texts=self._stops.emulated,
            forced_tool=parts.choice.second_instruction is not None,
            schema=self._expected(),
            strict_schemas=tools.strict_schemas,
        )

    def _expected(self) -> bytes | None:
        """What the answer must fit; one that goes on from the client's own beginning is no whole, and is not judged."""
        if self._format.asked is not None:
            return bytes(self._format.asked)
        begun = isinstance(self._request.messages[-1], AssistantMessage)
        wanted = isinstance(self._request.response_format, ResponseFormatJSONObject) and not begun
        return bytes(ANY_OBJECT) if wanted else None


def _offered(parts: _Parts) -> list[ToolParam | WebSearchTool]:
    search = parts.tools.web_search
    return [*parts.choice.params, *([search] if search else [])]


def _service_tier(asked: ServiceTier | None) -> Literal["auto", "standard_only"] | UnsetType:
    if asked is None:
        return UNSET
    return "standard_only" if asked in {"default", "flex"} else "auto"


def _instructed(request: MessagesRequest, instruction: str | None, facts: ModelFacts) -> MessagesRequest:
    """With one more instruction: at the end where the model takes one there, so that what is cached stays."""
    if instruction is None:
        return request
    block = TextBlockParam(instruction)
    if facts.system_in_messages:
        *before, last = request.messages
        if last.role == "system":
            return replace(request, messages=[*before, MessageParam("system", [*last.content, block])])
        return replace(request, messages=[*request.messages, MessageParam("system", [block])])
    system = [] if request.system is UNSET else request.system
    return replace(request, system=[*system, block])
