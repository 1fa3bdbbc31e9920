"""What is particular to the Messages API over HTTPS: headers, second tries, error bodies, models and counts."""

import asyncio
import gzip
import json
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from claude_openai_proxy.errors import (
    NoLoginError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.logins.credentials import Credential
from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    MessageStop,
    Ping,
    StreamEvent,
    TextBlockParam,
    ThinkingConfigAdaptive,
    ToolParam,
)
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.http import HTTPClient
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.fixed_credentials import FixedCredentials
from upstreams.wild_server import STREAM_HEAD, Visit, always, chunk, ok, once, wild_server

REQUEST = MessagesRequest(
    model="claude-opus-5-5", max_tokens=1000, messages=[MessageParam("user", [TextBlockParam("Hello")])]
)
STOP = chunk(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
MakeAPI = Callable[..., MessagesAPI]


@pytest.fixture
async def make_api() -> AsyncIterator[MakeAPI]:
    """Makes upstreams for a URL; `keys` are the credentials, one after the other."""
    made: list[MessagesAPI] = []

    def make(
        url: str,
        *keys: str,
        retries: int = 1,
        total_timeout: float | None = None,
        timeout: float = 10,
        workspace: str = "",
    ) -> MessagesAPI:
        api = MessagesAPI(
            client=HTTPClient(),
            credentials=FixedCredentials(url, *keys),
            version="1.2.3",
            retries=retries,
            timeout=timeout,
            total_timeout=total_timeout,
            pause=0,
            workspace=workspace,
        )
        made.append(api)
        return api

    yield make
    for api in made:
        await api.aclose()
        assert api._client.open_connections == 0


async def ask(
    api: MessagesAPI, request: MessagesRequest = REQUEST, facts: AnswerFacts | None = None
) -> tuple[list[StreamEvent], AnswerFacts]:
    facts = facts or AnswerFacts()
    async with api.stream(request, facts) as answer:
        return [event async for batch in answer for event in batch], facts


def error_body(status: int, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d Sorry" % status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


# ---- requests ------------------------------------------------------------------------------------------------------


async def test_the_request_carries_version_key_and_user_agent(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str
) -> None:
    await ask(make_api(simulator_url, "sk-1"))
    headers = simulator.requests[-1].headers
    assert {name: headers.get(name) for name in ("x-api-key", "anthropic-version", "user-agent", "content-type")} == {
        "x-api-key": "sk-1",
        "anthropic-version": "2023-06-01",
        "user-agent": "claude-openai-proxy/1.2.3",
        "content-type": "application/json",
    }
    assert "authorization" not in headers
    assert "anthropic-workspace-id" not in headers


async def test_a_key_of_several_workspaces_says_which_one_pays(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str
) -> None:
    api = make_api(simulator_url, "sk-1", workspace="wrkspc_1")
    await ask(api)
    await api.models()
    assert {request.headers["anthropic-workspace-id"] for request in simulator.requests} == {"wrkspc_1"}


@pytest.mark.parametrize(
    ("credential", "headers"),
    [
        (Credential("api_key", "s", "", ""), (("x-api-key", "s"),)),
        (Credential("auth_token", "s", "", ""), (("authorization", "Bearer s"),)),
        (Credential("api_key_helper", "s", "", ""), (("x-api-key", "s"), ("authorization", "Bearer s"))),
    ],
)
def test_each_kind_of_credential_has_its_headers(credential: Credential, headers: tuple[tuple[str, str], ...]) -> None:
    assert credential.headers() == headers


def test_a_credential_does_not_print_its_secret() -> None:
    assert "sk-secret" not in repr(Credential("api_key", "sk-secret", "https://api.test", "here"))


@pytest.mark.parametrize("prefix", ["", "/", "/gateway/claude", "/gateway/claude/"])
async def test_the_base_url_may_have_a_prefix_and_a_slash(make_api: MakeAPI, prefix: str) -> None:
    async with wild_server(always(STREAM_HEAD + STOP + b"0\r\n\r\n")) as server:
        assert (await ask(make_api(server.url + prefix)))[0] == [MessageStop()]
        line = server.requests[0].split(b"\r\n")[0].decode()
        assert line == f"POST {prefix.rstrip('/')}/v1/messages HTTP/1.1"


async def test_a_base_url_that_is_none_is_told(make_api: MakeAPI) -> None:
    with pytest.raises(UpstreamConnectionError, match=r"'api\.test' is not a URL"):
        await ask(make_api("api.test"))


async def test_answers_share_a_connection(make_api: MakeAPI, simulator_url: str) -> None:
    api = make_api(simulator_url)
    for _ in range(5):
        await ask(api)
    assert api._client.open_connections <= 2


async def test_the_account_is_a_digest_that_tells_keys_apart(make_api: MakeAPI, simulator_url: str) -> None:
    first, second, again = (
        make_api(simulator_url, "sk-1"),
        make_api(simulator_url, "sk-2"),
        make_api(simulator_url, "sk-1"),
    )
    assert first.identity.account == ""
    for api in (first, second, again):
        await ask(api)
    assert first.identity == again.identity
    assert first.identity.account != second.identity.account
    assert "sk-1" not in first.identity.account


# ---- second tries --------------------------------------------------------------------------------------------------


async def test_a_5xx_is_tried_once_more_and_noted(make_api: MakeAPI, simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.error(529), Script.text("Hello"))
    _, facts = await ask(make_api(simulator_url))
    assert facts.repairs == ["retried_5xx"]
    assert len(simulator.requests) == 2


@pytest.mark.parametrize(
    ("retries", "scripts", "tries"),
    [
        (1, [Script.error(500), Script.error(500)], 2),
        (0, [Script.error(500)], 1),
        (2, [Script.error(500)] * 3, 3),
        (1, [Script.error(400)], 1),
        (1, [Script.error(429, retry_after=0)], 1),
        (1, [Script.error(529, retry_after=60)], 1),
        (1, [Script.error(500, headers=(("x-should-retry", "false"),))], 1),
    ],
    ids=["twice", "switched off", "three times", "400", "429", "upstream wants a minute", "upstream says no"],
)
async def test_nothing_else_is_tried_again(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str, retries: int, scripts: list[Script], tries: int
) -> None:
    simulator.play(*scripts, Script.text("too late"))
    with pytest.raises(UpstreamStatusError):
        await ask(make_api(simulator_url, retries=retries))
    assert len(simulator.requests) == tries


async def test_a_failed_connect_is_tried_twice_more(simulator: Simulator) -> None:
    dialled: list[int] = []

    async def refuses_twice(
        factory: Callable[[], asyncio.Protocol], *_: object
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        dialled.append(1)
        if len(dialled) < 3:
            raise ConnectionRefusedError
        return await simulator.dial(factory)

    client = HTTPClient(dial=refuses_twice)
    api = MessagesAPI(client=client, credentials=FixedCredentials("http://api.test"), pause=0)
    events, facts = await ask(api)
    assert events[-1] == MessageStop()
    assert facts.repairs == ["connect_retried"]
    await api.aclose()
    await simulator.aclose()


@pytest.mark.parametrize(("retries", "tries"), [(1, 3), (0, 1)])
async def test_a_host_that_stays_away_is_given_up(retries: int, tries: int) -> None:
    dialled: list[int] = []

    async def refuses(*_: object) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        dialled.append(1)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    api = MessagesAPI(
        client=HTTPClient(dial=refuses), credentials=FixedCredentials("https://api.test"), pause=0, retries=retries
    )
    with pytest.raises(UpstreamConnectionError, match=r"api\.test was not found") as caught:
        await ask(api)
    assert (len(dialled), caught.value.reached) == (tries, False)


async def test_a_request_that_may_have_arrived_is_not_sent_again(make_api: MakeAPI) -> None:
    async with wild_server(once(b"")) as server:
        with pytest.raises(UpstreamConnectionError) as caught:
            await ask(make_api(server.url))
        assert (len(server.requests), caught.value.reached) == (1, True)


@pytest.mark.parametrize("retries", [0, 1, 10])
async def test_a_request_on_a_kept_connection_is_sent_once_whatever_the_retries(
    make_api: MakeAPI, retries: int
) -> None:
    async def reads_two_and_answers_one(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + STOP + b"0\r\n\r\n")
        await visit.request()

    async with wild_server(reads_two_and_answers_one, always(STREAM_HEAD + STOP + b"0\r\n\r\n")) as server:
        api = make_api(server.url, retries=retries)
        await ask(api)
        facts = AnswerFacts()
        with pytest.raises(UpstreamConnectionError) as caught:
            await ask(api, facts=facts)
        assert (len(server.requests), caught.value.reached, facts.repairs) == (2, True, [])


async def test_a_refused_key_gives_way_to_the_next_one(make_api: MakeAPI) -> None:
    async def knows_one_key(visit: Visit) -> None:
        while True:
            request = await visit.request()
            known = b"x-api-key: fresh\r\n" in request
            await visit.send(STREAM_HEAD + STOP + b"0\r\n\r\n" if known else error_body(401, b"{}"))

    async with wild_server(knows_one_key) as server:
        api = make_api(server.url, "stale", "fresh", "spare")
        events, facts = await ask(api)
        assert (events, facts.repairs) == ([MessageStop()], ["key_refreshed"])
        assert len(server.requests) == 2


async def test_a_key_is_refreshed_once_only(make_api: MakeAPI) -> None:
    body = b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'
    async with wild_server(always(error_body(401, body, b"request-id: req_9"))) as server:
        with pytest.raises(UpstreamStatusError) as caught:
            await ask(make_api(server.url, "one", "two", "three"))
        assert len(server.requests) == 2
    error = caught.value
    assert (error.status, error.error_type, error.request_id) == (401, "authentication_error", "req_9")
    assert error.message == (
        "Claude refused the key of the test: invalid x-api-key. "
        "Set a valid ANTHROPIC_API_KEY, or log in with: claude-openai-proxy login"
    )


async def test_without_a_login_nothing_is_sent(make_api: MakeAPI) -> None:
    async with wild_server(always(ok())) as server:
        api = make_api(server.url)
        api._credentials.credentials.clear()  # type: ignore[attr-defined]
        with pytest.raises(NoLoginError):
            await ask(api)
        assert server.visits == 0


# ---- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("17", 17.0, 17.0),
        ("0.5", 0.5, 0.5),
        (timedelta(hours=1), 3000.0, 3600.0),
        (timedelta(hours=-1), 0.0, 0.0),
    ],
    ids=["seconds", "half a second", "in an hour", "an hour ago"],
)
async def test_retry_after_is_read_as_seconds(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str, header: str | timedelta, low: float, high: float
) -> None:
    if isinstance(header, timedelta):  # from now, not from when the tests were collected
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    simulator.play(Script.error(429, retry_after=header))
    with pytest.raises(UpstreamStatusError) as caught:
        await ask(make_api(simulator_url))
    assert caught.value.retry_after is not None
    assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize("header", ["soon", "", "-1", "nan", "inf"])
async def test_a_retry_after_that_makes_no_sense_is_none(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str, header: str
) -> None:
    simulator.play(Script.error(429, retry_after=header))
    with pytest.raises(UpstreamStatusError) as caught:
        await ask(make_api(simulator_url))
    assert caught.value.retry_after is None


async def test_rate_limits_come_with_answers_and_with_errors(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str
) -> None:
    limits = (("anthropic-ratelimit-requests-remaining", "7"), ("anthropic-ratelimit-tokens-limit", "80000"))
    simulator.play(Script.text("Hello", headers=limits), Script.error(429, headers=limits))
    api = make_api(simulator_url)
    assert set(limits) <= set((await ask(api))[1].rate_limits)
    with pytest.raises(UpstreamStatusError) as caught:
        await ask(api)
    assert set(limits) <= set(caught.value.rate_limits)


@pytest.mark.parametrize(
    ("status", "body", "content_type", "expected"),
    [
        (
            502,
            b"<html><head><title>502  Bad\nGateway</title></head><body>long page</body></html>",
            b"text/html; charset=utf-8",
            "Claude's side answered HTTP 502 with text/html instead of an API error: 502 Bad Gateway",
        ),
        (
            403,
            b"blocked by policy",
            b"text/plain",
            "Claude's side answered HTTP 403 with text/plain instead of an API error: blocked by policy",
        ),
        (410, b"", b"text/plain", "Claude's side answered HTTP 410 with text/plain instead of an API error"),
        (
            422,
            b'{"detail":"no route"}',
            b"application/json",
            'Claude\'s side answered HTTP 422 with application/json instead of an API error: {"detail":"no route"}',
        ),
        (400, b'{"error":{"type":"x"}}', b"application/json", "Claude's side answered HTTP 400 without a word"),
    ],
)
async def test_an_error_body_that_is_not_the_apis_is_summarised(
    make_api: MakeAPI, status: int, body: bytes, content_type: bytes, expected: str
) -> None:
    async with wild_server(always(error_body(status, body, b"content-type: " + content_type))) as server:
        with pytest.raises(UpstreamStatusError) as caught:
            await ask(make_api(server.url, retries=0))
        assert (caught.value.status, caught.value.message) == (status, expected)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 99\r\n\r\n{",
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2_000_000,
    ],
    ids=["cut", "endless"],
)
async def test_a_status_whose_explanation_is_lost_is_still_that_status(make_api: MakeAPI, answer: bytes) -> None:
    async with wild_server(once(answer)) as server:
        with pytest.raises(UpstreamStatusError) as caught:
            await ask(make_api(server.url))
        assert caught.value.status == 403


async def test_a_long_error_page_is_cut_short(make_api: MakeAPI) -> None:
    async with wild_server(always(error_body(400, b"word " * 10_000))) as server:
        with pytest.raises(UpstreamStatusError) as caught:
            await ask(make_api(server.url))
        assert len(caught.value.message) < 300


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_but_told(make_api: MakeAPI, status: int) -> None:
    answer = error_body(status, b"<html>Moved</html>", b"location: http://elsewhere.test/v1")
    async with wild_server(always(answer)) as server:
        with pytest.raises(UpstreamStatusError) as caught:
            await ask(make_api(server.url))
        assert caught.value.status == status
        assert "http://elsewhere.test/v1" in caught.value.message
        assert "ANTHROPIC_BASE_URL" in caught.value.message
        assert len(server.requests) == 1


async def test_an_error_with_status_200_is_an_error(make_api: MakeAPI) -> None:
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"},"request_id":"req_2"}'
    async with wild_server(always(ok(body, b"content-type: application/json"))) as server:
        with pytest.raises(UpstreamStatusError, match="slow down") as caught:
            await ask(make_api(server.url))
        assert (caught.value.status, caught.value.request_id) == (429, "req_2")


async def test_a_web_page_with_status_200_is_named(make_api: MakeAPI) -> None:
    page = b"<html><title>Hotel WLAN: sign in</title>"
    async with wild_server(always(ok(page, b"content-type: text/html"))) as server:
        with pytest.raises(UpstreamProtocolError, match=r"text/html instead of an event stream: Hotel WLAN: sign in"):
            await ask(make_api(server.url))


async def test_a_broken_stream_keeps_upstreams_request_id(make_api: MakeAPI) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_7\r\n\r\n"
    async with wild_server(once(head + b'data: {"type":"ping"}\n\n')) as server:
        with pytest.raises(UpstreamProtocolError, match="no message_stop") as caught:
            await ask(make_api(server.url))
        assert caught.value.request_id == "req_7"


async def test_events_behind_message_stop_are_not_read(make_api: MakeAPI) -> None:
    answer = STREAM_HEAD + STOP + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    async with wild_server(always(answer)) as server:
        assert (await ask(make_api(server.url)))[0] == [MessageStop()]


async def test_the_whole_request_may_have_a_time_of_its_own(make_api: MakeAPI) -> None:
    async def talks_for_ever(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD)
        while True:
            await visit.send(chunk(b'data: {"type":"ping"}\n\n'))
            await asyncio.sleep(0.01)

    async with wild_server(talks_for_ever) as server:
        with pytest.raises(UpstreamTimeoutError) as caught:
            await ask(make_api(server.url, total_timeout=0.1))
        assert caught.value.phase == "total"


# ---- compressed, though nobody asked for it ------------------------------------------------------------------------


async def test_a_compressed_stream_is_read_as_it_comes(make_api: MakeAPI) -> None:
    go_on = asyncio.Event()
    deflate = zlib.compressobj(wbits=31)
    first = deflate.compress(b'data: {"type":"ping"}\n\n') + deflate.flush(zlib.Z_SYNC_FLUSH)
    rest = deflate.compress(b'data: {"type":"message_stop"}\n\n') + deflate.flush()

    async def streams(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD[:-2] + b"content-encoding: gzip\r\n\r\n" + chunk(first))
        await go_on.wait()
        await visit.send(chunk(rest) + b"0\r\n\r\n")

    async with wild_server(streams) as server, make_api(server.url).stream(REQUEST, AnswerFacts()) as answer:
        batches = aiter(answer)
        assert list(await anext(batches)) == [Ping()]
        go_on.set()
        assert list(await anext(batches)) == [MessageStop()]


async def test_a_compressed_error_keeps_its_words(make_api: MakeAPI) -> None:
    body = gzip.compress(b'{"type":"error","error":{"type":"invalid_request_error","message":"the reason"}}')
    async with wild_server(always(error_body(400, body, b"content-encoding: gzip"))) as server:
        with pytest.raises(UpstreamStatusError) as caught:
            await ask(make_api(server.url))
        assert (caught.value.status, caught.value.message) == (400, "the reason")


async def test_an_error_in_a_coding_that_is_not_read_says_so(make_api: MakeAPI) -> None:
    async with wild_server(always(error_body(400, b"xyz", b"content-encoding: compress"))) as server:
        with pytest.raises(UpstreamStatusError, match=r"answered HTTP 400; .* 'compress', which is not read"):
            await ask(make_api(server.url))


async def test_a_stream_in_a_coding_that_is_not_read_is_garbage(make_api: MakeAPI) -> None:
    answer = STREAM_HEAD[:-2] + b"content-encoding: compress\r\n\r\n" + chunk(b"xyz")
    async with wild_server(always(answer)) as server:
        with pytest.raises(UpstreamProtocolError, match="'compress', which is not read here"):
            await ask(make_api(server.url))


async def test_a_compressed_list_of_models_is_read(make_api: MakeAPI) -> None:
    async with wild_server(always(ok(gzip.compress(b'{"data":[{"id":"a"}]}'), b"content-encoding: gzip"))) as server:
        assert [model.id for model in await make_api(server.url).models()] == ["a"]


# ---- models, counts, status ----------------------------------------------------------------------------------------


async def test_all_pages_of_models_are_read(make_api: MakeAPI) -> None:
    pages = [
        {"data": [{"id": "a", "display_name": "A"}, {"id": "b"}], "has_more": True, "last_id": "b&c"},
        {"data": [{"id": "c", "max_tokens": 64000, "type": "model"}], "has_more": False, "last_id": "c"},
    ]

    async def turns_pages(visit: Visit) -> None:
        for page in pages:
            await visit.request()
            await visit.send(ok(json.dumps(page).encode()))
        await visit.caller_leaves()

    async with wild_server(turns_pages) as server:
        models = await make_api(server.url).models()
        assert [model.id for model in models] == ["a", "b", "c"]
        assert models[2].max_tokens == 64000
        lines = [request.split(b" HTTP")[0] for request in server.requests]
        assert lines == [b"GET /v1/models?limit=1000", b"GET /v1/models?limit=1000&after_id=b%26c"]


async def test_a_list_of_models_that_begins_again_is_read_once(make_api: MakeAPI) -> None:
    page = ok(b'{"data":[{"id":"a"},{"id":"b"}],"has_more":true,"last_id":"b"}')
    async with wild_server(always(page)) as server:
        assert [model.id for model in await make_api(server.url).models()] == ["a", "b"]
        assert len(server.requests) == 2


async def test_a_list_of_models_without_an_end_is_read_to_a_limit(make_api: MakeAPI) -> None:
    async def invents(visit: Visit) -> None:
        while True:
            await visit.request()
            number = len(visit.server.requests)
            await visit.send(ok(b'{"data":[{"id":"m%d"}],"has_more":true,"last_id":"m%d"}' % (number, number)))

    async with wild_server(invents) as server:
        assert len(await make_api(server.url).models()) == 20
        assert len(server.requests) == 20


async def test_a_list_of_models_begun_with_one_login_is_not_the_next_ones() -> None:
    page = ok(b'{"data":[{"id":"a"}]}')

    async def changes_the_login(visit: Visit) -> None:
        await visit.request()
        credentials.credentials.pop(0)
        async with api.stream(REQUEST, AnswerFacts()):
            pass
        await visit.send(page)

    async def answers(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + STOP + b"0\r\n\r\n")

    async with wild_server(changes_the_login, answers) as server:
        credentials = FixedCredentials(server.url, "old", "new")
        api = MessagesAPI(client=HTTPClient(), credentials=credentials)
        with pytest.raises(UpstreamError, match="login changed"):
            await api.models()
        await api.aclose()


async def test_nulls_in_a_list_of_models_are_absence(make_api: MakeAPI) -> None:
    body = (
        b'{"data":[{"id":"a","display_name":null,"created_at":null,"lifecycle":null}],"has_more":null,"last_id":null}'
    )
    async with wild_server(always(ok(body))) as server:
        (model,) = await make_api(server.url).models()
        assert (model.id, model.display_name, model.lifecycle) == ("a", "", "active")


@pytest.mark.parametrize("body", [b'{"data":' + b"[" * 100_000, b'{"data":[{"id":' + b'{"a":' * 100_000])
async def test_a_list_of_models_that_is_nested_too_deeply_is_told(make_api: MakeAPI, body: bytes) -> None:
    async with wild_server(always(ok(body))) as server:
        with pytest.raises(UpstreamProtocolError):
            await make_api(server.url).models()


async def test_the_simulators_models_are_read(make_api: MakeAPI, simulator_url: str) -> None:
    assert "claude-opus-5-5" in [model.id for model in await make_api(simulator_url).models()]


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"data":[{}]}', b"\xff"])
async def test_a_list_of_models_that_is_none_is_told(make_api: MakeAPI, body: bytes) -> None:
    async with wild_server(always(ok(body))) as server:
        with pytest.raises(UpstreamProtocolError, match="v1/models"):
            await make_api(server.url).models()


async def test_only_what_is_counted_is_sent_for_counting(
    make_api: MakeAPI, simulator: Simulator, simulator_url: str
) -> None:
    request = msgspec.structs.replace(
        REQUEST,
        stop_sequences=["x"],
        system=[TextBlockParam("Be brief")],
        tools=[ToolParam("f", msgspec.Raw(b'{"type":"object"}'))],
        thinking=ThinkingConfigAdaptive(),
    )
    assert await make_api(simulator_url).count_tokens(request) > 0
    assert set(simulator.requests[-1].json) == {"model", "messages", "system", "tools", "thinking"}


async def test_the_deep_status_asks_for_one_model(make_api: MakeAPI, simulator: Simulator, simulator_url: str) -> None:
    api = make_api(simulator_url)
    assert (await api.status()).reachable is None
    status = await api.status(deep=True)
    assert (status.logged_in, status.login, status.reachable) == (True, "the key of the test", True)
    assert [(request.path, request.query) for request in simulator.requests] == [("/v1/models", "limit=1")]


async def test_the_status_without_a_login_says_what_to_do(make_api: MakeAPI) -> None:
    api = make_api("http://127.0.0.1:9")
    api._credentials.credentials.clear()  # type: ignore[attr-defined]
    status = await api.status(deep=True)
    assert (status.logged_in, status.login) == (False, "")
    assert "claude-openai-proxy login" in status.detail


@pytest.mark.parametrize(
    ("answer", "logged_in", "reachable"),
    [
        (error_body(401, b"{}"), False, True),
        (error_body(404, b"{}"), True, False),
        (error_body(500, b"{}"), True, False),
        (error_body(429, b"{}"), True, True),
        (b"", True, False),
        (b"garbage", True, False),
    ],
)
async def test_the_deep_status_never_raises(make_api: MakeAPI, answer: bytes, logged_in: bool, reachable: bool) -> None:
    async with wild_server(once(answer)) as server:
        status = await make_api(server.url).status(deep=True)
        assert (status.logged_in, status.reachable, bool(status.detail)) == (logged_in, reachable, True)


async def test_every_failure_is_an_upstream_error(make_api: MakeAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    api = make_api(f"http://127.0.0.1:{port}")
    for call in (api.models(), api.count_tokens(REQUEST), ask(api)):
        with pytest.raises(UpstreamError):
            await call
