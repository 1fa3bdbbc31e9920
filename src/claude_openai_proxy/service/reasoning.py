"""Thinking that comes back: kept when Claude has said it, put back when the client returns with the turn.

| moment | what happens |
|---|---|
| a request is to be asked | its turns are looked for; those of the same words, model and prefix go back whole |
| an answer is under way | its blocks are recorded |
| its last event is about to go out | the turn is kept, if it has signed thinking; that is waited for, 50 ms at most |
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import MessagesRequest, StreamEvent, ThinkingConfigDisabled
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.storage.reasoning import NoReasoning, ReasoningStore
from claude_openai_proxy.translate.messages_api.continuation import TurnRecorder
from claude_openai_proxy.translate.messages_api.kept_turns import (
    KeptTurn,
    PrefixDigest,
    begins_with_thinking,
    is_signed,
    key_of_calls,
    keys_of,
    put_back,
)
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.upstreams.interface import Identity

_WHOLE: Final = frozenset({"end_turn", "tool_use", "stop_sequence"})
"""Stop reasons of answers that come back as they were."""

LEFT_OUT: Final = "thinking_left_out"
"""The record's word for thinking of an earlier turn that did not fit any more."""


class TurnKeeper:
    """Records one answer to `request`, and keeps it. `prefix`: its digest, where it is known already."""

    def __init__(
        self,
        store: ReasoningStore,
        request: MessagesRequest,
        principal: str,
        upstream: str,
        prefix: PrefixDigest | None,
    ) -> None:
        self._store = store
        self._request = request
        self._principal = principal
        self._upstream = upstream
        self._prefix = prefix
        self._recorder = TurnRecorder()
        self._before: list[Raw] = []
        """Of messages that paused."""

    def feed(self, events: Sequence[StreamEvent]) -> None:
        """What upstream sent, all of it."""
        for event in events:
            self._recorder.feed(event)

    def go_on(self) -> None:
        """The turn has paused and goes on in another message."""
        self._before += self._recorder.content()
        self._recorder = TurnRecorder()

    def begin_again(self, request: MessagesRequest) -> None:
        """The answer so far does not count: another request is asked."""
        self._request, self._prefix, self._before = request, None, []
        self._recorder = TurnRecorder()

    async def keep(self) -> None:
        """Keep the turn, if there is something to keep. A prefill is part of the turn and was not said now."""
        recorder = self._recorder
        if not recorder.thought or recorder.stop_reason not in _WHOLE or self._request.messages[-1].role == "assistant":
            return
        content = [*self._before, *recorder.content()]
        if is_signed(content):
            keys = keys_of(self._principal, content)
            prefix = self._prefix or prefix_of(self._request)
            turn = KeptTurn(keys, self._request.model, self._upstream, prefix.value, msgspec.json.encode(content))
            await self._store.keep(turn)


class Recalled(Struct, frozen=True):
    """A translation with its turns as they were said, and what its answers need to be kept."""

    translation: Translation
    _keeper: Callable[[], TurnKeeper] | None
    lost: tuple[tuple[str, str], ...] = ()
    """What the client carried of it and cannot go back: its name there, and why."""

    def keeper(self) -> TurnKeeper | None:
        """For one answer; None where it will not think, or nothing is kept."""
        return self._keeper() if self._keeper else None


class ReasoningVault:
    """Recalls what was kept of a request's turns. `store` is shared by all requests."""

    def __init__(self, store: ReasoningStore) -> None:
        self.store = store

    async def recall_each(
        self, translations: Sequence[Translation], record: RequestRecord, identity: Identity, facts: ModelFacts
    ) -> list[Recalled]:
        """The same one once; who speaks Claude's own language hands everything back and is left alone."""
        known: dict[int, Recalled] = {}
        for translation in translations:
            if id(translation) not in known:
                as_it_is = Recalled(translation, None)
                recalled = as_it_is if translation.as_asked else await self.recall(translation, record, identity, facts)
                known[id(translation)] = recalled
        return [known[id(translation)] for translation in translations]

    async def recall(
        self, translation: Translation, record: RequestRecord, identity: Identity, facts: ModelFacts
    ) -> Recalled:
        """Never raises; what was done is in the record."""
        principal, upstream = record.principal.id, name_of(identity)
        request, prefix = translation.request, None
        lost: tuple[tuple[str, str], ...] = ()
        kept = await self._kept(request, principal)
        if kept or translation.bound:
            found = put_back(request, kept, upstream, translation.bound)
            lost = found.lost
            request, prefix = found.request, found.prefix
            record.thinking_put_back += found.count
            if found.reasons:
                record.repairs.append(LEFT_OUT)
                record.thinking_left_out = ",".join(found.reasons)
        if translation.without_thinking is not None and not _begins_as_a_budget_demands(request):
            record.repairs.append("thinking_off_in_tool_loop")
            request = replace(translation.without_thinking, messages=request.messages)
        retry = translation.retry
        if retry is not None and (kept or translation.bound):
            retry = put_back(retry, kept, upstream, translation.bound).request
        recalled = translation if request is translation.request else replace(translation, request=request, retry=retry)
        if isinstance(self.store, NoReasoning) or not _may_think(request, facts):
            return Recalled(recalled, None, lost)
        return Recalled(recalled, partial(TurnKeeper, self.store, request, principal, upstream, prefix), lost)

    async def _kept(self, request: MessagesRequest, principal: str) -> dict[int, list[KeptTurn]]:
        """What may be meant by each assistant turn, by its number."""
        turns = {number: turn.content for number, turn in enumerate(request.messages) if turn.role == "assistant"}
        if not turns or await self.store.is_empty():
            return {}
        by_calls = {number: key for number, turn in turns.items() if (key := key_of_calls(principal, turn))}
        kept = await self._found(by_calls)
        by_words = {number: keys_of(principal, turn)[-1] for number, turn in turns.items() if number not in kept}
        return kept | await self._found(by_words)

    async def _found(self, keys: Mapping[int, str]) -> dict[int, list[KeptTurn]]:
        found = await self.store.find(set(keys.values())) if keys else {}
        return {number: found[key] for number, key in keys.items() if key in found}


def _may_think(request: MessagesRequest, facts: ModelFacts) -> bool:
    if request.thinking is UNSET:
        return facts.thinking_by_default
    return not isinstance(request.thinking, ThinkingConfigDisabled)


def _begins_as_a_budget_demands(request: MessagesRequest) -> bool:
    """Whether the last turn of the tool loop begins with its thinking."""
    last = next((message for message in reversed(request.messages) if message.role == "assistant"), None)
    return last is None or begins_with_thinking(last)


def name_of(identity: Identity) -> str:
    """Whose thinking it is: signatures hold for one account, and the program that asks is part of the prompt."""
    return f"{identity.kind} {identity.version} {identity.account}"


def prefix_of(request: MessagesRequest) -> PrefixDigest:
    """To what the thinking of its answer is bound."""
    prefix = PrefixDigest(request)
    for message in request.messages:
        prefix.add(message)
    return prefix
