"""Turns whose signed thinking no client of OpenAI's carries: how they are known again, and go back as Claude said them.

A turn is known by the ids of its calls and, since not every client keeps those, by what it says. Its blocks go back
only where everything before it goes out as it did when Claude answered it: signatures are bound to the model and to
that prefix (https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking). Where they do not, thinking is
left out: Claude then goes on without it. What goes back is the whole turn, byte for byte, so that the prefix of the
next one is the same each time.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    ContentBlockParam,
    MessageParam,
    MessagesRequest,
    RedactedThinkingBlockParam,
    TextBlockParam,
    ThinkingBlockParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)

DIGEST_BYTES: Final = 16

CLAUDE_CALL: Final = "toolu_"
"""With this the ids of Claude's calls begin."""

_THINKING: Final = ("thinking", "redacted_thinking")
_encode: Final = msgspec.json.Encoder().encode
_sorted: Final = msgspec.json.Encoder(order="sorted").encode


class KeptTurn(Struct, frozen=True):
    """One turn as Claude said it: `content` is a JSON list of its blocks; `keys` are those of `keys_of`."""

    keys: tuple[str, ...]
    model: str
    upstream: str
    prefix: str
    content: bytes


class Bound(Struct, frozen=True):
    """To what a block of thinking is bound that a client carries itself; `id` is the client's name of it."""

    id: str
    model: str
    upstream: str
    prefix: str


NO_BLOCKS: Final[Mapping[bytes, Bound]] = MappingProxyType({})


class PutBack(Struct, frozen=True):
    """A request with its turns as they were said. `reasons` says why turns went without (`edited`, `model`, ...).

    `lost`: blocks that the client carried and that went nowhere, each with the reason.
    """

    request: MessagesRequest
    count: int
    reasons: tuple[str, ...]
    lost: tuple[tuple[str, str], ...]
    prefix: "PrefixDigest"
    """Of the whole request: what the answer's own thinking is bound to."""


class _Visible(Struct, frozen=True):
    """What a client shows of a turn: its text, and its calls with what they were given."""

    text: str
    calls: tuple[tuple[str, str, bytes], ...]


class _RawBlock(Struct, frozen=True):
    """What matters here of a block as Claude sent it; its input stays text, whatever numbers are in it."""

    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")
    signature: str = ""
    data: str = ""


_decode: Final = msgspec.json.Decoder(_RawBlock).decode


class PrefixDigest:
    """Of model, tools, system and messages as they go out; cache marks aside, which bind nothing."""

    def __init__(self, request: MessagesRequest) -> None:
        self._hash = hashlib.blake2b(digest_size=DIGEST_BYTES)
        tools = None if request.tools is UNSET else [_unmarked(tool) for tool in request.tools]
        system = None if request.system is UNSET else [_unmarked(block) for block in request.system]
        self._hash.update(_encode((request.model, tools, system)))

    def add(self, message: MessageParam) -> None:
        """The next message."""
        self._hash.update(_encode((message.role, [_unmarked(block) for block in message.content])))

    @property
    def value(self) -> str:
        """Up to here."""
        return self._hash.hexdigest()


def key_of_calls(principal: str, content: Sequence[ContentBlockParam]) -> str | None:
    """The first of `keys_of`, for a client's turn that has calls; it costs much less than the other."""
    ids = [block.id for block in content if isinstance(block, ToolUseBlockParam)]
    return _key(principal, "calls", *map(str.encode, ids)) if ids else None


def keys_of(principal: str, content: Sequence[ContentBlockParam]) -> tuple[str, ...]:
    """Under which a turn of this principal's is kept: by its calls, if it has any, and by what it says."""
    seen = _visible(content)
    said = _key(principal, "said", seen.text.encode(), *(name.encode() + given for _, name, given in seen.calls))
    if not seen.calls:
        return (said,)
    return (_key(principal, "calls", *(id_.encode() for id_, _, _ in seen.calls)), said)


def thinks(content: Iterable[ContentBlockParam]) -> bool:
    """Whether a turn has thinking."""
    return any(_is_thinking(block) for block in content)


def begins_with_thinking(message: MessageParam) -> bool:
    """As the last assistant turn of a tool loop must, where thinking has a budget."""
    return bool(message.content) and _is_thinking(message.content[0])


def is_signed(content: Sequence[Raw]) -> bool:
    """Whether there is thinking, and every block of it can go back: one that was cut has no signature."""
    blocks = [_decode(block) for block in content]
    signed = [bool(block.signature or block.data) for block in blocks if block.type in _THINKING]
    return bool(signed) and all(signed)


def put_back(
    request: MessagesRequest,
    kept: Mapping[int, Sequence[KeptTurn]],
    upstream: str,
    bound: Mapping[bytes, Bound] = NO_BLOCKS,
) -> PutBack:
    """`request` with the kept turns in their places; `kept` has those that may be meant, by the message's number.

    `bound`: blocks that the client carried, as they stand in the request.
    """
    prefix = PrefixDigest(request)
    messages: list[MessageParam] = []
    count, reasons = 0, []
    lost: list[tuple[str, str]] = []
    ids: dict[str, str] = {}
    for number, message in enumerate(request.messages):
        message = _answering(message, ids)  # noqa: PLW2901
        if candidates := kept.get(number):
            found = _the_same(message, candidates, request.model, upstream, prefix.value)
            if isinstance(found, KeptTurn):
                said = MessageParam("assistant", msgspec.json.decode(found.content, type=list[Raw]))
                ids = _new_ids(message, said)
                message = said  # noqa: PLW2901
                count += 1
            else:
                lost += [(its.id, found) for its in _carried(message, bound)]
                message = without_thinking(message)  # noqa: PLW2901
                reasons.append(found)
        elif carried := _carried(message, bound):
            if reason := _unfit(carried, request.model, upstream, prefix.value):
                lost += [(its.id, reason) for its in carried]
                message = without_thinking(message)  # noqa: PLW2901
                reasons.append(reason)
            else:
                count += 1
        messages.append(message)
        prefix.add(message)
    return PutBack(replace(request, messages=messages), count, tuple(dict.fromkeys(reasons)), tuple(lost), prefix)


def _carried(message: MessageParam, bound: Mapping[bytes, Bound]) -> list[Bound]:
    """Of a turn's blocks those that the client carried."""
    if not bound:
        return []
    return [its for block in message.content if isinstance(block, Raw) and (its := bound.get(bytes(block)))]


def _unfit(carried: Sequence[Bound], model: str, upstream: str, prefix: str) -> str:
    """Why a turn cannot go out with them; "" where it can.

    All of them or none: a turn with half of its thinking is not one that Claude has said.
    """
    for its in carried:
        if its.model != model:
            return "model"
        if its.upstream != upstream:
            return "upstream"
        if its.prefix != prefix:
            return "prefix"
    return ""


def without_thinking(message: MessageParam) -> MessageParam:
    """The turn without; itself where nothing else is in it."""
    rest = [block for block in message.content if not _is_thinking(block)]
    return message if not rest or len(rest) == len(message.content) else MessageParam(message.role, rest)


def _the_same(
    message: MessageParam, candidates: Sequence[KeptTurn], model: str, upstream: str, prefix: str
) -> KeptTurn | str:
    """The newest candidate that is this very turn, or the first thing in which all of them differ."""
    shown = _visible(message.content)
    left = [turn for turn in candidates if _same_words(shown, turn)]
    for reason, same in (
        ("edited", lambda _: True),
        ("model", lambda turn: turn.model == model),
        ("upstream", lambda turn: turn.upstream == upstream),
        ("prefix", lambda turn: turn.prefix == prefix),
    ):
        left = [turn for turn in left if same(turn)]
        if not left:
            return reason
    return left[-1]


def _same_words(shown: _Visible, turn: KeptTurn) -> bool:
    """With the same calls. An id that is not Claude's stands for any: some forms have none, some clients make theirs.

    Ids of Claude's that differ are those of another conversation, which went the same way so far.
    """
    said = _visible(msgspec.json.decode(turn.content, type=list[Raw]))
    if shown.text != said.text or [call[1:] for call in shown.calls] != [call[1:] for call in said.calls]:
        return False
    return all(
        mine == its or not mine.startswith(CLAUDE_CALL)
        for (mine, _, _), (its, _, _) in zip(shown.calls, said.calls, strict=True)
    )


def _new_ids(shown: MessageParam, said: MessageParam) -> dict[str, str]:
    """For the calls of a turn that goes out as it was said: by the id that they have here, the one that Claude gave."""
    calls = zip(_visible(shown.content).calls, _visible(said.content).calls, strict=True)
    return {mine: its for (mine, _, _), (its, _, _) in calls if mine != its}


def _answering(message: MessageParam, ids: Mapping[str, str]) -> MessageParam:
    """The message with its results under the ids that their calls have now."""
    if not any(isinstance(block, ToolResultBlockParam) and block.tool_use_id in ids for block in message.content):
        return message
    content = [
        replace(block, tool_use_id=ids.get(block.tool_use_id, block.tool_use_id))
        if isinstance(block, ToolResultBlockParam)
        else block
        for block in message.content
    ]
    return MessageParam(message.role, content)


def _visible(content: Iterable[ContentBlockParam]) -> _Visible:
    texts: list[str] = []
    calls: list[tuple[str, str, bytes]] = []
    for block in content:
        if isinstance(block, TextBlockParam):
            texts.append(block.text)
        elif isinstance(block, ToolUseBlockParam):
            calls.append((block.id, block.name, _canonical(block.input)))
        elif isinstance(block, Raw):
            raw = _decode(block)
            if raw.type == "text":
                texts.append(raw.text)
            elif raw.type == "tool_use":
                calls.append((raw.id, raw.name, _canonical(raw.input)))
    return _Visible("".join(texts).strip(), tuple(calls))


def _canonical(given: Raw) -> bytes:
    """However it was written; as it was written where nobody can read it."""
    try:
        return _sorted(msgspec.json.decode(given))
    except (msgspec.DecodeError, RecursionError):
        return bytes(given)


def _is_thinking(block: ContentBlockParam) -> bool:
    if isinstance(block, Raw):
        return _decode(block).type in _THINKING
    return isinstance(block, ThinkingBlockParam | RedactedThinkingBlockParam)


def _unmarked(part: Any) -> Any:
    if isinstance(part, ToolResultBlockParam) and isinstance(part.content, list):
        part = replace(part, content=[_unmarked(inner) for inner in part.content])
    if getattr(part, "cache_control", UNSET) is UNSET:
        return part
    return replace(part, cache_control=UNSET)


def _key(principal: str, kind: str, *parts: bytes) -> str:
    found = hashlib.blake2b(f"{kind}\0{principal}".encode(), digest_size=DIGEST_BYTES)
    for part in parts:
        found.update(b"\0%d\0" % len(part) + part)
    return found.hexdigest()
