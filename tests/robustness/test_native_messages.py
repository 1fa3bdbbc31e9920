"""The Messages API itself through the whole proxy, byte by byte."""
# ruff: noqa: E501

import asyncio
import json
from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Script, Simulator
from robustness.whole_proxy import WholeProxy, until, whole_proxy
from web.direct import Answer, call
from web.raw_client import connected
from web.serving import served

PATH = "/v1/messages"
COUNT = "/v1/messages/count_tokens"
VERSION = {"anthropic-version": "2023-06-01"}
HELLO = b'{"model":"claude-sonnet-5-5","max_tokens":64,"messages":[{"role":"user","content":"Hi"}]}'
STREAM = HELLO[:-1] + b',"stream":true}'
ODD = b'{ "max_tokens":64,"model" : "custom-claude-4-sonnet","messages":[{"role":"user","content":"H\\u0069"}],"tomorrow":[1.50]}'
TOKEN = "sk-ant-oat01-made-up-token-of-a-client"


def error_of(answer: Answer) -> tuple[int, str, str]:
    """Status, type and message; the body must be Anthropic's."""
    body = json.loads(answer.body)
    assert body["type"] == "error"
    assert answer.headers["request-id"] == body["request_id"]
    return answer.status, body["error"]["type"], body["error"]["message"]


def files_with(text: str, directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


# ---- what is passed on -------------------------------------------------------------------------------------------------


async def test_nothing_of_a_body_changes_but_the_model(proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.text("Hi.", skip_rules=True))
    await call(proxy.app, path=f"{PATH}?beta=true", body=ODD)
    assert proxy.simulator.requests[-1].body == ODD.replace(b"custom-claude-4-sonnet", b"claude-sonnet-5-5")


async def test_a_body_with_the_models_own_id_is_the_same(proxy: WholeProxy) -> None:
    for path in (PATH, COUNT):
        await call(proxy.app, path=path, body=HELLO)
        assert (proxy.simulator.requests[-1].path, proxy.simulator.requests[-1].body) == (path, HELLO)


async def test_anthropics_own_headers_go_with_it_and_no_others(proxy: WholeProxy) -> None:
    sent = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "context-management-2025-06-27, oauth-2025-04-20,of-tomorrow",
        "anthropic-of-tomorrow": "x",
        "anthropic-workspace-id": "w",
        "anthropic-dangerous-direct-browser-access": "true",
        "authorization": f"Bearer {TOKEN}",
        "x-api-key": "sk-ant-of-the-client",
        "x-app": "cli",
        "cookie": "a=b",
        "user-agent": "claude-cli/2.1.332",
    }
    await call(proxy.app, path=PATH, body=HELLO, headers=sent)
    arrived = proxy.simulator.requests[-1].headers
    assert arrived["anthropic-version"] == "2026-10-21"
    assert arrived["anthropic-beta"] == "context-management-2025-06-27,of-tomorrow"
    assert arrived["anthropic-of-tomorrow"] == "x"
    assert "anthropic-workspace-id" not in arrived
    assert arrived["x-api-key"] == "sk-ant-made-up"
    assert not arrived.keys() & {"authorization", "x-app", "cookie", "anthropic-dangerous-direct-browser-access"}
    assert "claude-cli" not in arrived["user-agent"]


async def test_a_client_does_not_choose_the_workspace_that_pays(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    environment |= {"ANTHROPIC_WORKSPACE_ID": "wrkspc_of_the_key"}
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        await call(proxy.app, path=PATH, body=HELLO, headers={"anthropic-workspace-id": "another"})
    assert simulator.requests[-1].headers["anthropic-workspace-id"] == "wrkspc_of_the_key"


async def test_a_request_that_names_no_version_means_the_first(proxy: WholeProxy) -> None:
    await call(proxy.app, path=PATH, body=HELLO)
    assert proxy.simulator.requests[-1].headers["anthropic-version"] == "2023-06-01"


async def test_a_clients_own_login_is_nowhere(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environment |= {"LOG_LEVEL": "debug", "XDG_STATE_HOME": str(tmp_path / "state")}
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        for headers in ({"authorization": f"Bearer {TOKEN}"}, {"x-api-key": TOKEN}):
            for path, body in ((PATH, HELLO), (PATH, STREAM), (COUNT, HELLO), (PATH, b"{")):
                await call(proxy.app, path=path, body=body, headers=headers | {"anthropic-beta": "oauth-2025-04-20"})
    printed = capfd.readouterr()
    assert printed.err
    assert TOKEN not in printed.err + printed.out
    assert all(
        TOKEN not in str(request.headers) and "oauth" not in str(request.headers) for request in simulator.requests
    )
    assert not files_with(TOKEN, tmp_path)


async def test_events_keep_their_bytes_and_their_names(proxy: WholeProxy) -> None:
    odd = b'event: message_delta\ndata: { "type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3},"x":1.50}\n\n'
    unknown = b'event: aurora\ndata: {"type":"aurora","seen":[true]}\n\n'
    delta = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"of_tomorrow","x":"\xe2\x80\xa8"}}\n\n'
    start = b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":2},"y":null}}\n\n'
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    sent = start + ping + unknown + delta + odd + stop
    proxy.simulator.play(Script(body=sent, content_type="text/event-stream"))
    answer = await call(proxy.app, path=PATH, body=STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body == sent
    (record,) = proxy.ledger.records
    assert (record.input_tokens, record.output_tokens, record.finish_reason) == (2, 3, "end_turn")


async def test_an_answer_that_is_no_stream_keeps_its_bytes(proxy: WholeProxy) -> None:
    sent = b'{ "id":"msg_1","content":[{"type":"of_tomorrow","x":1.50}],"stop_reason":"tool_use","usage":{"input_tokens":7,"output_tokens":2}}'
    proxy.simulator.play(Script(body=sent, content_type="application/json"))
    answer = await call(proxy.app, path=PATH, body=HELLO)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", sent)
    (record,) = proxy.ledger.records
    assert (record.input_tokens, record.output_tokens, record.finish_reason) == (7, 2, "tool_use")


async def test_a_paused_turn_and_a_forced_call_are_the_clients_own_business(proxy: WholeProxy) -> None:
    body = json.loads(HELLO) | {
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
        "stream": True,
    }
    proxy.simulator.play(Script.text("Wait", stop_reason="pause_turn"))
    answer = await call(proxy.app, path=PATH, body=json.dumps(body).encode())
    assert b'"pause_turn"' in answer.body
    assert sum(request.is_message for request in proxy.simulator.requests) == 1


async def test_upstreams_limits_and_ids_are_told_under_their_own_names(proxy: WholeProxy) -> None:
    told = (("anthropic-ratelimit-requests-remaining", "9"), ("anthropic-organization-id", "org-1"))
    proxy.simulator.play(Script.text("Hi.", headers=told), Script.text("Hi.", headers=told))
    for body in (HELLO, STREAM):
        headers = (await call(proxy.app, path=PATH, body=body)).headers
        assert headers["anthropic-ratelimit-requests-remaining"] == "9"
        assert headers["anthropic-organization-id"] == "org-1"
        assert headers["request-id"] == proxy.simulator.requests[-1].id
        assert headers["x-request-id"] != headers["request-id"]
        assert headers["x-claude-model"] == "claude-sonnet-5-5"
        assert not [name for name in headers if name.startswith(("openai-", "x-ratelimit-"))]


# ---- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [HELLO, STREAM])
@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (
            400,
            "invalid_request_error",
            "messages.1.content.0.thinking: each thinking block must be bound to a different conversation",
        ),
        (403, "permission_error", "no"),
        (404, "not_found_error", "model: claude-sonnet-5-5"),
        (413, "request_too_large", "too large"),
        (429, "rate_limit_error", "Slow down."),
        (500, "api_error", "Internal server error"),
        (529, "overloaded_error", "Overloaded"),
        (599, "api_error", "Of tomorrow"),
    ],
)
async def test_upstreams_errors_pass_unmodified(
    proxy: WholeProxy, body: bytes, status: int, kind: str, message: str
) -> None:
    sent = b'{ "type":"error","error":{"type":"%b","message":"%b","x":1.50},"request_id":"req_1"}' % (
        kind.encode(),
        message.encode(),
    )
    headers = (("retry-after", "7"), ("x-should-retry", "true"), ("anthropic-ratelimit-requests-remaining", "0"))
    proxy.simulator.play(
        Script(status=status, body=sent, content_type="application/json", headers=headers, skip_rules=True)
    )
    answer = await call(proxy.app, path=PATH, body=body)
    assert (answer.status, answer.body) == (status, sent)
    assert {name: answer.headers[name] for name, _ in headers} == dict(headers)
    assert answer.headers["request-id"] == proxy.simulator.requests[-1].id
    assert sum(request.is_message for request in proxy.simulator.requests) == 1
    (record,) = proxy.ledger.records
    assert record.error == f"UpstreamStatusError {kind}"


async def test_a_refused_key_of_the_proxy_is_told_as_the_proxys(proxy: WholeProxy) -> None:
    proxy.simulator.account.refuse_keys = {"sk-ant-made-up"}
    status, kind, message = error_of(await call(proxy.app, path=PATH, body=HELLO))
    assert (status, kind) == (401, "authentication_error")
    assert "Claude refused ANTHROPIC_API_KEY" in message
    assert "sk-ant-made-up" not in message


async def test_a_web_page_in_place_of_an_error_is_told_in_anthropics_shape(proxy: WholeProxy) -> None:
    page = Script(status=500, body=b"<html><title>Bad day</title></html>", content_type="text/html", skip_rules=True)
    proxy.simulator.play(page)
    status, kind, message = error_of(await call(proxy.app, path=PATH, body=HELLO))
    assert (status, kind) == (500, "api_error")
    assert "Bad day" in message


async def test_a_status_that_is_no_error_is_told_as_bad_gateway(proxy: WholeProxy) -> None:
    body = b'{"type":"error","error":{"type":"api_error","message":"no"}}'
    proxy.simulator.play(Script(status=299, body=body, content_type="application/json", skip_rules=True))
    assert error_of(await call(proxy.app, path=PATH, body=HELLO))[:2] == (502, "api_error")


async def test_statuses_of_claudes_side_go_over_the_wire(proxy: WholeProxy) -> None:
    async with served(proxy.app) as url:
        for status in (529, 599):
            proxy.simulator.play(Script.error(status, "Later.", skip_rules=True))
            async with connected(url) as connection:
                await connection.send("POST", PATH, HELLO)
                assert (await connection.head())[0] == status


async def test_an_error_in_the_stream_is_an_event_with_its_bytes(proxy: WholeProxy) -> None:
    error = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"x":1.50}'
    start = b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{}}}\n\n'
    proxy.simulator.play(
        Script(body=start + b"event: error\ndata: " + error + b"\n\n", content_type="text/event-stream")
    )
    answer = await call(proxy.app, path=PATH, body=STREAM)
    assert answer.status == 200
    assert answer.body == start + b"event: error\ndata: " + error + b"\n\n"


async def test_a_stream_that_breaks_off_ends_with_an_error_event(proxy: WholeProxy) -> None:
    start = b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{}}}\n\n'
    proxy.simulator.play(Script(body=start, content_type="text/event-stream"))
    answer = await call(proxy.app, path=PATH, body=STREAM)
    assert answer.body.startswith(start + b'event: error\ndata: {"type":"error"')
    assert answer.body.endswith(b"\n\n")
    assert b"message_stop" in answer.body


async def test_an_empty_stream_has_a_status(proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.empty())
    assert error_of(await call(proxy.app, path=PATH, body=STREAM))[:2] == (502, "api_error")


@pytest.mark.parametrize(
    ("path", "method", "body", "headers", "status", "kind"),
    [
        (PATH, "POST", HELLO, {"host": "evil.example"}, 403, "permission_error"),
        (PATH, "POST", HELLO, {"origin": "https://evil.example"}, 403, "permission_error"),
        (PATH, "POST", HELLO, {"content-type": "text/plain"}, 415, "invalid_request_error"),
        (PATH, "POST", HELLO, {"content-length": "999999999"}, 413, "request_too_large"),
        (PATH, "POST", b"{", {}, 400, "invalid_request_error"),
        (PATH, "POST", b"[]", {}, 400, "invalid_request_error"),
        (PATH, "POST", b'{"model": 1}', {}, 400, "invalid_request_error"),
        (PATH, "POST", b'{"model": "\xff"}', {}, 400, "invalid_request_error"),
        (PATH, "POST", b'{"x":' + b"[" * 100_000, {}, 400, "invalid_request_error"),
        (COUNT, "POST", b'{"model":"nobody"}', {}, 404, "not_found_error"),
        (PATH, "GET", b"", {}, 405, "invalid_request_error"),
        ("/v1/messages/batches", "POST", HELLO, VERSION, 404, "not_found_error"),
        ("/v1/models/nobody", "GET", b"", VERSION, 404, "not_found_error"),
        ("/v1/models?limit=0", "GET", b"", VERSION, 400, "invalid_request_error"),
        ("/v1/models?after_id=nobody", "GET", b"", VERSION, 400, "invalid_request_error"),
    ],
)
async def test_the_proxys_own_errors_have_anthropics_shape(
    proxy: WholeProxy, path: str, method: str, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    answer = await call(proxy.app, method, path, body, headers=headers)
    assert error_of(answer)[:2] == (status, kind)
    assert not any(request.is_message for request in proxy.simulator.requests)


async def test_a_client_needs_one_of_the_keys_in_either_header(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    environment |= {"PROXY_API_KEYS": "me:sk-one"}
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        for wrong in ({}, {"x-api-key": "sk-two"}, {"authorization": f"Bearer {TOKEN}"}):
            answer = await call(proxy.app, path=PATH, body=HELLO, headers=wrong)
            assert error_of(answer)[:2] == (401, "authentication_error")
        for right in ({"x-api-key": "sk-one"}, {"authorization": "Bearer sk-one"}):
            assert (await call(proxy.app, path=PATH, body=HELLO, headers=right)).status == 200
    assert [record.principal.name for record in proxy.ledger.records[-2:]] == ["me", "me"]


# ---- models ------------------------------------------------------------------------------------------------------------


async def test_the_header_decides_whose_list_of_models_it_is(proxy: WholeProxy) -> None:
    openais = json.loads((await call(proxy.app, "GET", "/v1/models")).body)
    anthropics = json.loads((await call(proxy.app, "GET", "/v1/models?limit=1000", headers=VERSION)).body)
    assert openais["object"] == "list"
    assert {row["type"] for row in anthropics["data"]} == {"model"}
    assert [row["id"] for row in anthropics["data"]] == [row["id"] for row in openais["data"]]
    assert (anthropics["has_more"], anthropics["last_id"]) == (False, anthropics["data"][-1]["id"])


async def test_pages_follow_one_another_in_both_directions(proxy: WholeProxy) -> None:
    async def page(query: str) -> dict[str, object]:
        document: dict[str, object] = json.loads(
            (await call(proxy.app, "GET", f"/v1/models?{query}", headers=VERSION)).body
        )
        return document

    def ids(document: dict[str, object]) -> list[str]:
        rows = document["data"]
        assert isinstance(rows, list)
        return [row["id"] for row in rows]

    first = await page("limit=3")
    second = await page(f"limit=3&after_id={first['last_id']}")
    back = await page(f"limit=3&before_id={second['first_id']}")
    assert not set(ids(first)) & set(ids(second))
    assert (ids(back), back["has_more"]) == (ids(first), False)
    assert first["has_more"] is True


async def test_one_model_by_an_alias(proxy: WholeProxy) -> None:
    answer = await call(proxy.app, "GET", "/v1/models/custom-claude-4-opus", headers=VERSION)
    row = json.loads(answer.body)
    assert (row["type"], row["id"], row["line"], row["max_tokens"]) == (
        "model",
        "custom-claude-4-opus",
        "opus",
        128_000,
    )


# ---- the life of an answer ---------------------------------------------------------------------------------------------


async def test_a_client_that_leaves_cancels_upstream(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy, served(proxy.app) as url:
        for body in (HELLO, STREAM):
            simulator.play(Script.hang())
            async with connected(url) as connection:
                await connection.send("POST", PATH, body)
                await until(lambda: bool(simulator.requests) and simulator.requests[-1].body == body)  # noqa: B023
                connection.leave()
            async with asyncio.timeout(5):
                await simulator.requests[-1].gone.wait()
    assert [record.status for record in proxy.ledger.records] == [499, 499]
