"""Claude over HTTPS: the Messages API with a key (https://docs.anthropic.com/en/api/messages)."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy import __version__
from claude_openai_proxy.errors import (
    NoLoginError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamStatusError,
)
from claude_openai_proxy.logins.credentials import CredentialSource
from claude_openai_proxy.protocols.anthropic import (
    CacheControlEphemeral,
    MessageParam,
    MessagesRequest,
    ModelInfo,
    ModelList,
    OutputConfig,
    SentRequest,
    TextBlockParam,
    ThinkingConfig,
    ToolChoice,
    ToolParam,
    WebSearchTool,
)
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities, plain_digest
from claude_openai_proxy.translate.messages_api.nulls import without_nulls
from claude_openai_proxy.translate.messages_api.request_body import encode_request
from claude_openai_proxy.upstreams.api.access import WHOLE_ANSWER_SECONDS, APIAccess, Effort
from claude_openai_proxy.upstreams.api.batches import MessageBatches
from claude_openai_proxy.upstreams.api.document import AnswerDocument
from claude_openai_proxy.upstreams.api.stream import AnswerStream
from claude_openai_proxy.upstreams.http import HTTPClient, Response
from claude_openai_proxy.upstreams.interface import AnswerFacts, Identity, MessageStream, Payer, UpstreamStatus

SHORT_ANSWER_TIMEOUTS: Final = 3
"""Of one that is short, and asked for in one piece by the proxy itself, so many times the silence within a stream."""
MODELS_PER_PAGE: Final = 1000
MOST_PAGES: Final = 20
"""Of models: many more than there are, and an end to a list that has none."""
_encode = msgspec.json.Encoder().encode
_Document = TypeVar("_Document", bound=Struct)


class _CountTokensRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of `POST /v1/messages/count_tokens`: the part of a request that is counted."""

    model: str
    messages: list[MessageParam]
    system: list[TextBlockParam] | UnsetType = UNSET
    tools: Sequence[ToolParam | WebSearchTool | msgspec.Raw] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    thinking: ThinkingConfig | UnsetType = UNSET
    output_config: OutputConfig | UnsetType = UNSET
    cache_control: CacheControlEphemeral | UnsetType = UNSET


class _TokenCount(Struct, frozen=True):
    input_tokens: int


class _ModelPage(Struct, frozen=True):
    """That the list of models answers is all that the deep status wants to know."""

    data: list[msgspec.Raw]


class MessagesAPI:
    """The `Upstream` that is reached with a key. The client is its own: `aclose` closes it."""

    def __init__(
        self,
        *,
        client: HTTPClient,
        credentials: CredentialSource,
        kind: str = "api",
        version: str = __version__,
        timeout: float = 60.0,
        total_timeout: float | None = None,
        retries: int = 1,
        pause: float = 0.25,
        pseudonym: Callable[[str], str] = plain_digest,
        workspace: str = "",
    ) -> None:
        """`timeout`, `total_timeout`, `retries` and `pause` are those of `Effort`.

        `workspace`: the id of the one that a key of several works in; "" leaves it to Claude's side.
        """
        effort = Effort(timeout=timeout, total_timeout=total_timeout, retries=retries, pause=pause)
        self._client = client
        self._credentials = credentials
        self.identity = Identity(kind, version, "")
        """The account is known once the first credential was used."""
        self.capabilities = Capabilities(verbatim=True, pseudonym=pseudonym)
        self._short_answer_seconds = SHORT_ANSWER_TIMEOUTS * timeout
        self._access = APIAccess(
            client=client,
            credentials=credentials,
            effort=effort,
            version=version,
            workspace=workspace,
            told=self._by_credential,
        )

    def _by_credential(self, account: str, payer: Payer) -> None:
        known = self.identity
        self.identity = Identity(known.kind, known.version, account, "" if known.kind == "demo" else payer)

    @property
    def batches(self) -> MessageBatches:
        """Message Batches, which only the API has."""
        return MessageBatches(self._access)

    def stream(
        self, request: MessagesRequest, facts: AnswerFacts, *, whole: bool = False
    ) -> AbstractAsyncContextManager[MessageStream]:
        """See `Upstream.stream`."""
        sent = request.sent
        if sent and not sent.streamed:
            return AnswerDocument(partial(self._ask, sent, facts, silence=WHOLE_ANSWER_SECONDS), facts)
        if sent:
            return AnswerStream(partial(self._ask, sent, facts), facts, keeps_bytes=True)
        body = encode_request(request, streamed=not whole)
        ask = partial(self._ask, SentRequest(path="v1/messages", body=body), facts)
        return AnswerStream(partial(ask, silence=self._short_answer_seconds) if whole else ask, facts, whole=whole)

    async def _ask(self, sent: SentRequest, facts: AnswerFacts, *, silence: float = 0.0) -> Response:
        return await self._access.open("POST", sent.path, sent.body, facts, headers=sent.headers, silence=silence)

    async def models(self) -> list[ModelInfo]:
        """See `Upstream.models`; reads all pages, as far as they bring models that were not on earlier ones."""
        models: dict[str, ModelInfo] = {}
        after, accounts = "", set[str]()
        for _ in range(MOST_PAGES):
            facts = AnswerFacts()
            page = await self._fetch(ModelList, "GET", f"v1/models?limit={MODELS_PER_PAGE}{after}", facts=facts)
            accounts.add(facts.account)
            new = {model.id: model for model in page.data if model.id not in models}
            models |= new
            if not (page.has_more and page.last_id and new):
                break
            after = f"&after_id={quote(page.last_id, safe='')}"
        if accounts != {self.identity.account}:
            raise UpstreamConnectionError("The login changed while its models were listed", reached=True)
        return list(models.values())

    async def count_tokens(self, request: MessagesRequest) -> int:
        """See `Upstream.count_tokens`."""
        counted = {name: getattr(request, name) for name in _CountTokensRequest.__struct_fields__}
        body = _encode(_CountTokensRequest(**counted))
        return (await self._fetch(_TokenCount, "POST", "v1/messages/count_tokens", body)).input_tokens

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """See `Upstream.status`; `deep` asks for one row of the list of models."""
        login = self._credentials.describe()
        try:
            await self._credentials.credential()
            if deep:
                await self._fetch(_ModelPage, "GET", "v1/models?limit=1")
        except NoLoginError as error:
            return UpstreamStatus(logged_in=False, login=login, detail=error.message)
        except UpstreamStatusError as error:
            return _refused(error, login)
        except UpstreamError as error:
            return UpstreamStatus(logged_in=True, login=login, reachable=False, detail=error.message)
        return UpstreamStatus(logged_in=True, login=login, reachable=True if deep else None)

    async def aclose(self) -> None:
        """See `Upstream.aclose`."""
        await self._client.aclose()

    async def _fetch(
        self, document: type[_Document], method: str, path: str, body: bytes = b"", *, facts: AnswerFacts | None = None
    ) -> _Document:
        with await self._access.open(method, path, body, facts or AnswerFacts()) as response:
            data = await response.read_all()
        try:
            return _decoded(data, document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamProtocolError(f"Claude's side answered {path} with something else: {error}") from error


def _refused(error: UpstreamStatusError, login: str) -> UpstreamStatus:
    """Of all refusals only the limit's and the key's come from an API that works and is where it was looked for."""
    detail = error.message
    if error.status == 404:
        detail = f"No list of models ({detail.rstrip('.')})."
    return UpstreamStatus(
        logged_in=error.status != 401, login=login, reachable=error.status in (401, 429), detail=detail
    )


def _decoded(data: bytes, document: type[_Document]) -> _Document:
    try:
        return msgspec.json.decode(data, type=document)
    except msgspec.ValidationError:
        return msgspec.json.decode(without_nulls(data), type=document)
