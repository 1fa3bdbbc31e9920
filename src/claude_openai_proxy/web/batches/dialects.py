"""The endpoints that a batch's lines may be for, each answered by the service of its live route.

A new one is a class here and a row in `LINES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError, ProxyError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.batches.dialects import LineDialect, Refusal
from claude_openai_proxy.service.chat import ChatService
from claude_openai_proxy.service.completions import CompletionService
from claude_openai_proxy.service.envelopes import Envelopes
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.responses import ResponsesService
from claude_openai_proxy.service.stored_completions import StoredCompletions
from claude_openai_proxy.web.body import LARGE_BODY, decode_body
from claude_openai_proxy.web.chat.decode import decode_chat_request
from claude_openai_proxy.web.completions.decode import decode_completion_request
from claude_openai_proxy.web.errors import to_failure
from claude_openai_proxy.web.responses.decode import decode_responses_request

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Kit:
    """What every dialect needs. `new_id` is given a prefix, `wall_clock` gives seconds since 1970."""

    files: Files
    envelopes: Envelopes
    state: ResponseState
    reject_unsupported: bool
    new_id: Callable[[str], str]
    wall_clock: Callable[[], float]


class ChatLines:
    """`/v1/chat/completions`."""

    wanted = "messages"

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def answer(self, body: bytes, admissions: Admissions, record: RequestRecord, *, keep: bool) -> bytes:
        """See `LineDialect.answer`."""
        kit, decoded, large = self._kit, await decode_body(decode_chat_request, body), len(body) >= LARGE_BODY
        record.repairs += decoded.repairs
        request = await kit.files.inlined(decoded.request, record.principal, _hold)
        service = ChatService(
            admissions=admissions,
            reject_unsupported=kit.reject_unsupported,
            new_id=lambda: kit.new_id("chatcmpl-"),
            wall_clock=kit.wall_clock,
            stored=StoredCompletions(kit.state) if keep else None,
        )
        async with service.chat(request, unknown=decoded.unknown, record=record, large=large) as answer:
            return _encode(replace(await answer.completion(), service_tier="default"))

    def keeps(self, body: bytes) -> bool:
        """See `LineDialect.keeps`."""
        return b'"store"' in body and bytes(decode_chat_request(body).request.store) == b"true"


class CompletionLines:
    """`/v1/completions`."""

    wanted = "prompt"

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def answer(self, body: bytes, admissions: Admissions, record: RequestRecord, *, keep: bool) -> bytes:
        """See `LineDialect.answer`."""
        del keep
        kit, decoded, large = self._kit, await decode_body(decode_completion_request, body), len(body) >= LARGE_BODY
        record.repairs += decoded.repairs
        service = CompletionService(
            admissions=admissions,
            reject_unsupported=kit.reject_unsupported,
            new_id=lambda: kit.new_id("cmpl-"),
            wall_clock=kit.wall_clock,
        )
        async with service.complete(decoded.request, unknown=decoded.unknown, record=record, large=large) as answer:
            return _encode(await answer.completion())

    def keeps(self, body: bytes) -> bool:  # noqa: ARG002 - the protocol's signature
        """See `LineDialect.keeps`: the endpoint knows no such thing."""
        return False


class ResponseLines:
    """`/v1/responses`."""

    wanted = "input"

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def answer(self, body: bytes, admissions: Admissions, record: RequestRecord, *, keep: bool) -> bytes:
        """See `LineDialect.answer`."""
        kit, decoded, large = self._kit, await decode_body(decode_responses_request, body), len(body) >= LARGE_BODY
        record.repairs += decoded.repairs
        for name in ("background", "conversation"):
            if getattr(decoded.request, name, None):
                raise InvalidRequestError(f"A line of a batch cannot have {name}: its order is not given.", param=name)
        service = ResponsesService(
            admissions=admissions,
            files=kit.files,
            envelopes=kit.envelopes,
            state=kit.state,
            reject_unsupported=kit.reject_unsupported,
            new_id=kit.new_id,
            wall_clock=kit.wall_clock,
        )
        work = service.begin(decoded.request if keep else replace(decoded.request, store=False))
        async with service.respond(work, unknown=decoded.unknown, record=record, hold=_hold, large=large) as answer:
            return _encode(await answer.response())

    def keeps(self, body: bytes) -> bool:
        """See `LineDialect.keeps`: it is the rule."""
        return decode_responses_request(body).request.store is not False


LINES: Final[Mapping[str, Callable[[Kit], LineDialect]]] = {
    "/v1/chat/completions": ChatLines,
    "/v1/responses": ResponseLines,
    "/v1/completions": CompletionLines,
}


async def _hold(_: int) -> None:
    """A line has the room of the batch: few are run at once."""


def line_dialects(kit: Kit) -> dict[str, LineDialect]:
    """By endpoint."""
    return {endpoint: lines(kit) for endpoint, lines in LINES.items()}


def refusal_of(error: ProxyError, *, now: float) -> Refusal:
    """As the live route would answer it; `now` in seconds since 1970."""
    failure = to_failure(error, now=now, retried=True)
    return Refusal(failure.status, failure.body)
