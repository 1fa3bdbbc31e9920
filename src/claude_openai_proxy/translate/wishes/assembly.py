"""Wishes, a conversation and a model's facts -> a Messages request, and what its answer's reader must know."""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    OutputConfig,
    TextBlockParam,
    ThinkingConfigEnabled,
    ToolParam,
    WebSearchTool,
)
from claude_openai_proxy.translate.messages_api.answer_plan import NO_NAMES, AnswerPlan
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.conversation import Conversation
from claude_openai_proxy.translate.messages_api.instructions import BRIEF, CONTINUE, DETAILED
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.allowance import Allowance
from claude_openai_proxy.translate.wishes.answer_format import answer_format
from claude_openai_proxy.translate.wishes.cache_marks import with_legal_marks, with_own_marks
from claude_openai_proxy.translate.wishes.end_user import metadata
from claude_openai_proxy.translate.wishes.sampling import max_tokens, sampling, stops
from claude_openai_proxy.translate.wishes.thinking import Reasoning, Surroundings, reasoning, without_budget
from claude_openai_proxy.translate.wishes.tool_choice import Choice, choose_tools, instructed, with_called_tools
from claude_openai_proxy.translate.wishes.tools import offered_tools
from claude_openai_proxy.translate.wishes.wishes import Wishes


class Assembly:
    """One translation, for one model and one upstream, in the order in which its steps need each other.

    1. Made of the wishes (format, tools, tool choice). Raises `InvalidRequestError` at one that cannot be.
    2. The dialect's reader feeds `conversation` with turns.
    3. `translation` does the rest (thinking, sampling, caching, the end of the conversation).

    Each step raises `UnsupportedParameterError` for a wish without effect where the notes reject those.
    """

    def __init__(self, wishes: Wishes, facts: ModelFacts, capabilities: Capabilities, notes: Notes) -> None:
        self._wishes = wishes
        self._facts = facts
        self._capabilities = capabilities
        self._notes = notes
        allowance = Allowance.for_bytes(wishes.schema_bytes)
        self._format = answer_format(wishes.answer_format, facts, notes, allowance)
        self._stops = stops(wishes.stops)
        self._tools = offered_tools(
            wishes.tools, wishes.web_search, facts, notes, beside=self._format.native, allowance=allowance
        )
        self._choice = choose_tools(wishes.tool_choice, self._tools, facts, notes)
        self.conversation = Conversation(notes, self._tools.names, system_in_messages=facts.system_in_messages)
        """To be fed with the client's turns."""

    @property
    def citations(self) -> bool:
        """Documents may be cited: not together with a JSON schema for the answer."""
        return self._format.asked is None

    def translation(self) -> Translation:
        """The whole, once the conversation is complete."""
        choice = with_called_tools(self._choice, self._tools, self.conversation.called)
        messages = self.conversation.messages()
        limit = max_tokens(self._wishes.max_tokens, self._facts, self._notes)
        around = Surroundings(max_tokens=limit, asked_limit=self._wishes.max_tokens, forced_tool=choice.forced)
        thinking = reasoning(self._wishes.thinking, self._facts, around, self._notes)
        request = self._request(choice, self._with_legal_end(messages, thinking), limit, thinking, self._notes)
        second = choice.second_instruction
        return Translation(
            request=instructed(request, choice.instruction, self._facts),
            without_thinking=self._without_thinking(choice, messages, limit, thinking),
            plan=self._plan(choice, thinking),
            ignored=self._notes.ignored,
            repairs=self._notes.repairs,
            retry=instructed(request, second, self._facts) if second else None,
        )

    def _without_thinking(
        self, choice: Choice, messages: list[MessageParam], limit: int, thinking: Reasoning
    ) -> MessagesRequest | None:
        """What is told of it is told where it goes out."""
        instead = without_budget(thinking, messages)
        if instead is None:
            return None
        request = self._request(choice, messages, limit, instead, Notes())
        return instructed(request, choice.instruction, self._facts)

    def _request(
        self, choice: Choice, messages: list[MessageParam], limit: int, thinking: Reasoning, notes: Notes
    ) -> MessagesRequest:
        wishes = self._wishes
        waited_for = self._capabilities.waited_for
        automatic = wishes.cache.automatic() if waited_for or wishes.cache.long else UNSET
        sampled = sampling(wishes.sampling, self._facts, thinking=thinking.on, notes=notes)
        request = MessagesRequest(
            model=self._facts.id,
            max_tokens=limit,
            messages=messages,
            system=self._system() or UNSET,
            tools=self._offered(choice) or UNSET,
            tool_choice=choice.tool_choice,
            stop_sequences=self._stops.native or UNSET,
            temperature=sampled.temperature,
            top_p=sampled.top_p,
            top_k=sampled.top_k,
            thinking=thinking.config,
            output_config=self._output_config(thinking),
            service_tier=wishes.service_tier if waited_for else UNSET,
            metadata=metadata(wishes.end_user, self._capabilities, notes),
            cache_control=automatic,
        )
        marked = with_own_marks(request, automatic, system_is_marked=self._capabilities.system_is_marked)
        return with_legal_marks(marked, wishes.cache, notes)

    # ---- steps --------------------------------------------------------------------------------------------------

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

    def _system(self) -> list[TextBlockParam]:
        """The client's own system text, then what holds for the whole conversation."""
        system = self.conversation.system
        if self._wishes.verbosity in {"low", "high"}:
            system = [*system, TextBlockParam(BRIEF if self._wishes.verbosity == "low" else DETAILED)]
        instruction = self._format.instruction
        return system if instruction is None else [*system, TextBlockParam(instruction)]

    def _offered(self, choice: Choice) -> list[ToolParam | WebSearchTool]:
        search = self._tools.web_search
        return [*choice.params, *([search] if search else [])]

    def _output_config(self, thinking: Reasoning) -> OutputConfig | UnsetType:
        format_ = self._format.param
        if format_ is None and thinking.effort is UNSET:
            return UNSET
        return OutputConfig(effort=thinking.effort, format=format_ or UNSET)

    def _plan(self, choice: Choice, thinking: Reasoning) -> AnswerPlan:
        return AnswerPlan(
            tool_names=self._tools.names.client_names or NO_NAMES,
            custom_tools=self._tools.custom,
            single_call=self._wishes.single_call,
            reasoning=thinking.shown,
            stop_texts=self._stops.emulated,
            forced_tool=choice.second_instruction is not None,
            structured=self._format.structured,
        )
