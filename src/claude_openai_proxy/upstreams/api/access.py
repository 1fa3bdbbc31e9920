"""How a request gets to the API: with which credential, how patiently, and tried how often."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import repeat
from typing import Final

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamStatusError
from claude_openai_proxy.logins.credentials import Credential, CredentialSource
from claude_openai_proxy.trust import ANTHROPIC_URL
from claude_openai_proxy.upstreams.api.errors import status_error
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request, Response
from claude_openai_proxy.upstreams.interface import AnswerFacts, Payer

API_VERSION: Final = "2023-06-01"
"""A later one refuses temperature, top_p and top_k on every model."""
WORKSPACE: Final = "anthropic-workspace-id"
"""Whose limits count and who pays, for a key that works in several: not a client's to say where it is set."""
CONNECT_RETRIES: Final = 2
LONGEST_PAUSE: Final = 5.0
"""Where upstream asks for more than so many seconds, the client shall decide and not we."""
WHOLE_ANSWER_SECONDS: Final = 600.0
"""An answer that is no stream comes at its end: so long a silence is none, as the official SDKs see it."""
_PEPPER: Final = b"claude-openai-proxy account"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often. `timeout`: seconds without a byte; `total_timeout`: seconds for all of a request.

    `retries`: second tries after a 5xx; 0 also switches off those after a failed connect. `pause`: seconds between.
    """

    timeout: float = 60.0
    total_timeout: float | None = None
    retries: int = 1
    pause: float = 0.25


@dataclass(frozen=True, slots=True)
class _Login:
    """A credential in the form in which every request needs it."""

    credential: Credential
    base: URL
    headers: tuple[tuple[str, str], ...]
    account: str


class APIAccess:
    """Sends requests below the base URL of the credential in use."""

    def __init__(
        self,
        *,
        client: HTTPClient,
        credentials: CredentialSource,
        effort: Effort,
        version: str,
        told: Callable[[str, Payer], None],
        workspace: str = "",
    ) -> None:
        """`told` learns of each credential that comes into use: a digest of it, and who charges for it."""
        self._client = client
        self._credentials = credentials
        self._effort = effort
        self._headers = (
            ("anthropic-version", API_VERSION),
            ("content-type", "application/json"),
            ("user-agent", f"claude-openai-proxy/{version}"),
            *([(WORKSPACE, workspace)] if workspace else ()),
        )
        self._login: _Login | None = None
        self._told = told

    async def open(
        self,
        method: str,
        path: str,
        body: bytes,
        facts: AnswerFacts,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        silence: float = 0.0,
        once: bool = False,
    ) -> Response:
        """The response to a request, always a 200; `facts` learns of every second try.

        `headers` stand in place of ours of the same name. `silence`: so many seconds without a byte are none.
        `once`: what upstream has answered with a 5xx is not sent again.
        Raises `NoLoginError`, `UpstreamError` and its kinds.
        """
        patience = self._patience(silence)
        pauses = self._pauses(0 if once else self._effort.retries)
        login, refreshed = await self._current_login(), False
        while True:
            facts.account = login.account
            request = Request(method, login.base / path, _with_headers(login.headers, headers), body)
            response = await self._send(request, patience, facts)
            if response.status == 200:
                return response
            with response:
                error = _naming_the_url(await status_error(response), request.url)
            if error.status == 401:
                if refreshed or not await self._credentials.refused(login.credential):
                    raise _refused(error, login.credential) from error
                login, refreshed = await self._current_login(), True
                facts.note("key_refreshed")
            else:
                await _pause_before_retry(error, response, pauses)
                facts.note("retried_5xx")

    async def _send(self, request: Request, patience: Patience, facts: AnswerFacts) -> Response:
        pauses = self._pauses(CONNECT_RETRIES if self._effort.retries else 0)
        while True:
            try:
                return await self._client.send(request, patience)
            except UpstreamConnectionError as error:
                pause = next(pauses, None)
                if error.reached or pause is None:
                    raise
            await asyncio.sleep(pause)
            facts.note("connect_retried")

    def _pauses(self, count: int) -> Iterator[float]:
        return repeat(self._effort.pause, count)

    def _patience(self, silence: float) -> Patience:
        total = self._effort.total_timeout
        deadline = None if total is None else asyncio.get_running_loop().time() + total
        return Patience(max(silence, self._effort.timeout), deadline)

    async def _current_login(self) -> _Login:
        credential = await self._credentials.credential()
        if self._login is None or self._login.credential != credential:
            self._login = login = self._prepare(credential)
            self._told(login.account, "api" if credential.base_url == ANTHROPIC_URL else "gateway")
        return self._login

    def _prepare(self, credential: Credential) -> _Login:
        try:
            base = URL.parse(credential.base_url)
        except ValueError as error:
            raise UpstreamConnectionError(
                f"The base URL of the login cannot be used: {error}", reached=False
            ) from error
        account = blake2b(credential.secret.encode(), key=_PEPPER, digest_size=6).hexdigest()
        return _Login(credential, base, (*credential.headers(), *self._headers), account)


def _with_headers(ours: tuple[tuple[str, str], ...], given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if not given:
        return ours
    names = {name for name, _ in given} - {WORKSPACE}
    ours = tuple(row for row in ours if row[0] not in names)
    fixed = {name for name, _ in ours}
    return (*ours, *(row for row in given if row[0] not in fixed))


async def _pause_before_retry(error: UpstreamStatusError, response: Response, pauses: Iterator[float]) -> None:
    """Sleep if another try makes sense, raise `error` if not."""
    if error.status < 500 or response.header("x-should-retry") == "false":
        raise error
    pause = next(pauses, None)
    asked = error.retry_after or 0.0
    if pause is None or asked > LONGEST_PAUSE:
        raise error
    await asyncio.sleep(max(pause, asked))


def _naming_the_url(error: UpstreamStatusError, url: URL) -> UpstreamStatusError:
    """A 404 that does not speak of a model is one of the address."""
    if error.status != 404 or "model" in error.message.lower():
        return error
    asked = f"{url.origin.scheme}://{url.origin.host_header}{url.path.partition('?')[0]}"
    return UpstreamStatusError(
        f"{error.message.rstrip('.')}: HTTP 404 from {asked}. "
        "Look at ANTHROPIC_BASE_URL: a Messages API must stand below it",
        status=404,
        error_type=error.error_type,
        request_id=error.request_id,
        rate_limits=error.rate_limits,
    )


def _refused(error: UpstreamStatusError, credential: Credential) -> UpstreamStatusError:
    return UpstreamStatusError(
        f"Claude refused {credential.source}: {error.message}. "
        "Set a valid ANTHROPIC_API_KEY, or log in with: claude-openai-proxy login",
        status=error.status,
        error_type=error.error_type,
        request_id=error.request_id,
        rate_limits=error.rate_limits,
    )
