"""Requests and their records, whatever happens on the way."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from claude_openai_proxy.errors import ModelNotFoundError, UpstreamStatusError
from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.web.application import _let_go
from claude_openai_proxy.web.asgi import ReceiveEvent, SendEvent
from web.direct import CHAT, HELLO, STREAM, call
from web.fake_service import FakeChat, Script
from web.wired import Keeper, Wired


async def test_an_answer_carries_the_headers_that_openai_sends() -> None:
    answer = await call(Wired().app(), body=HELLO)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["openai-processing-ms"].isdigit()
    assert answer.headers["x-claude-model"] == "claude-test-1"
    assert answer.headers["x-upstream"] == "fake"
    assert answer.headers["x-upstream-request-id"] == "req_up"
    assert "server" not in answer.headers


@pytest.mark.parametrize("own", ["abc", "01J:x_y.z-9", "a" * 128])
async def test_a_sane_request_id_of_the_client_is_kept(own: str) -> None:
    answer = await call(Wired().app(), "GET", "/health", headers={"x-request-id": own})
    assert answer.headers["x-request-id"] == own


@pytest.mark.parametrize("own", ["", "a b", "a" * 129, "ä", "a,b", "<x>"])
async def test_any_other_request_id_is_replaced(own: str) -> None:
    answer = await call(Wired().app(), "GET", "/health", headers={"x-request-id": own})
    assert answer.headers["x-request-id"] == "req-1"


async def test_a_record_is_announced_at_its_start_its_first_token_and_its_end() -> None:
    wired = Wired()
    await call(wired.app(), body=HELLO, headers={"user-agent": "OpenAI/Python 3.54.0"})
    assert wired.keeper.told == ["started", "first_token", "ended"]
    record = wired.keeper.records[0]
    assert (record.method, record.route, record.status, record.client) == ("POST", CHAT, 200, "OpenAI/Python 3.54.0")
    assert (record.principal.name, record.model_asked, record.stream) == ("local", "custom-claude-4-opus", False)
    assert record.first_token is not None
    assert record.ended is not None


async def test_a_refused_request_is_announced_too() -> None:
    wired = Wired()
    await call(wired.app(), "GET", "/nowhere")
    assert wired.keeper.told == ["started", "ended"]
    assert (wired.keeper.records[0].status, wired.keeper.records[0].route) == (404, "unknown")


async def test_an_upstream_error_is_in_the_record_without_its_words() -> None:
    error = UpstreamStatusError("prompt is too long: secret", status=400, error_type="invalid_request_error")
    wired = Wired(chat=FakeChat(Script(before=[error])))
    answer = await call(wired.app(), body=HELLO)
    assert answer.status == 400
    assert wired.keeper.records[0].error == "UpstreamStatusError invalid_request_error"


async def test_a_bug_is_a_500_with_the_request_id_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = await call(Wired().app(), "GET", "/v1/models/broken")
    assert (answer.status, answer.error.type) == (500, "server_error")
    assert "a bug" not in answer.error.message
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.__dict__["request_id"] == answer.headers["x-request-id"]
    assert logged.exc_info


async def test_a_bug_in_the_middle_of_a_stream_ends_it_with_an_error(caplog: pytest.LogCaptureFixture) -> None:
    wired = Wired(chat=FakeChat(Script(steps=["Hello", RuntimeError("a bug")])))
    answer = await call(wired.app(), body=STREAM)
    assert answer.status == 200
    assert b'data: {"error":{' in answer.writes[-1]
    assert b"[DONE]" not in answer.body
    assert wired.keeper.records[0].error == "RuntimeError"
    assert "request failed" in caplog.text


async def test_a_client_that_leaves_is_a_499_in_the_record_and_cancels_the_work() -> None:
    wired = Wired(chat=FakeChat(Script(before=[asyncio.Event()])))
    await call(wired.app(), body=HELLO, leaves=wired.chat.entered)
    assert wired.chat.cancelled.is_set()
    assert wired.keeper.told == ["started", "ended"]
    assert (wired.keeper.records[0].status, wired.keeper.records[0].error) == (499, "ClientLeftError")


async def test_a_request_that_the_stopping_server_ends_is_told_so() -> None:
    wired = Wired(chat=FakeChat(Script(before=[asyncio.Event()])))
    request = asyncio.create_task(call(wired.app(), body=HELLO))
    await wired.chat.entered.wait()
    request.cancel()
    answer = await request
    assert wired.chat.cancelled.is_set()
    assert (answer.status, answer.error.code, answer.headers["retry-after"]) == (503, "stopping", "5")
    assert (wired.keeper.records[0].status, wired.keeper.records[0].error) == (503, "StoppingError")


async def test_nothing_of_the_body_is_in_debug_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await call(Wired().app(), body=HELLO, headers={"authorization": "Bearer sk-secret"})
    assert "authorization" in caplog.text
    assert "secret" not in caplog.text
    assert "Hi" not in caplog.text


async def test_head_is_get_without_the_body() -> None:
    answer = await call(Wired().app(), "HEAD", "/v1/models")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", CHAT, "POST, GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/models", "GET, HEAD, OPTIONS"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allow: str) -> None:
    answer = await call(Wired().app(), method, path)
    assert (answer.status, answer.headers["allow"], answer.error.code) == (405, allow, "method_not_allowed")


async def test_options_says_which_methods_there_are() -> None:
    answer = await call(Wired().app(), "OPTIONS", CHAT)
    assert (answer.status, answer.headers["allow"]) == (204, "POST, GET, HEAD, OPTIONS")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/v1/models", "/models", "/v1/models/", "/models/", "/health", "/v1/health", "/", "/v1", "/v1/"]
)
async def test_paths_work_with_and_without_v1_and_a_slash_at_the_end(path: str) -> None:
    assert (await call(Wired().app(), "GET", path)).status == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/chat/completions/"])
async def test_chat_has_all_its_spellings(path: str) -> None:
    assert (await call(Wired().app(), "POST", path, HELLO)).status == 200


@pytest.mark.parametrize("path", ["/v2/models", "/v1/chat", "/v1/v1/models", "/modelsx", "/v1models", "*", "/x\r\ny"])
async def test_an_unknown_path_is_a_404_that_names_the_routes(path: str) -> None:
    answer = await call(Wired().app(), "GET", path)
    assert (answer.status, answer.error.code) == (404, "unknown_url")
    assert "POST /v1/chat/completions" in answer.error.message


async def test_a_model_id_may_hold_slashes_and_escapes() -> None:
    answer = await call(Wired().app(), "GET", "/v1/models/org%2Fclaude-test-1")
    assert (answer.status, b'"id":"org/claude-test-1"' in answer.body) == (200, True)


async def test_an_unknown_model_is_a_404_model_not_found() -> None:
    answer = await call(Wired().app(), "GET", "/v1/models/gpt-9")
    assert (answer.status, answer.error.code, answer.error.param) == (404, "model_not_found", "model")


async def test_a_model_that_chat_does_not_know_is_a_404_too() -> None:
    wired = Wired(chat=FakeChat(Script(before=[ModelNotFoundError("No such model.")])))
    assert (await call(wired.app(), body=HELLO)).status == 404


async def test_the_lifespan_runs_what_it_was_given() -> None:
    events: list[str] = []

    async def startup() -> None:
        events.append("startup")

    async def shutdown() -> None:
        events.append("shutdown")

    incoming: list[ReceiveEvent] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> ReceiveEvent:
        return incoming.pop(0)

    async def send(event: SendEvent) -> None:
        events.append(event["type"])

    await Wired(startup=startup, shutdown=shutdown).app()({"type": "lifespan"}, receive, send)
    assert events == ["startup", "lifespan.startup.complete", "shutdown", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    "path",
    ["/v1//chat/completions", "//v1/chat/completions/", "///chat///completions//", "/openai/v1/chat/completions"],
)
async def test_runs_of_slashes_and_azures_prefix_are_forgiven(path: str) -> None:
    assert (await call(Wired().app(), path=path, body=HELLO)).status == 200


async def test_azures_spelling_names_the_model_in_the_path() -> None:
    wired = Wired(keys={"sk-one": "one"})
    path = "/openai/deployments/org%2Fmy-model/chat/completions?api-version=2024-10-21"
    assert (await call(wired.app(), path=path, body=HELLO, headers={"api-key": "sk-one"})).status == 200
    assert [request.model for request in wired.chat.requests] == ["org/my-model"]


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("/v1/v1/chat/completions", "/v1 twice"),
        ("/v1/v1/models", "/v1 twice"),
        ("/v1/chat/completions/v1/models", "must end with /v1, not with /chat/completions"),
        ("/v1/chat/completions/chat/completions", "must end with /v1, not with /chat/completions"),
        ("/v1/embeddings", "/v1/embeddings is not served yet: use POST /v1/chat/completions"),
        ("/v1/audio/speech", "/v1/audio is not served yet"),
    ],
)
async def test_a_404_says_what_is_likely_to_be_wrong(path: str, advice: str) -> None:
    answer = await call(Wired().app(), path=path, body=b"{}")
    assert (answer.status, answer.error.code) == (404, "unknown_url")
    assert advice in answer.error.message


async def test_the_record_of_a_refusal_says_why_where_and_who() -> None:
    wired = Wired()
    await call(wired.app(), "GET", "/v1/no\nwhere", peer="10.0.0.7")
    await call(wired.app(), body=HELLO, headers={"origin": "app://obsidian.md"})
    await call(wired.app(), body=b'{"model":"m","messages":[{"role":"my prompt"}]}')
    lost, foreign, wrong = wired.keeper.records
    assert (lost.code, lost.path, lost.address) == ("unknown_url", "/v1/no?where", "10.0.0.7")
    assert (foreign.code, "ALLOWED_ORIGINS=app://obsidian.md" in foreign.reason) == ("origin_not_allowed", True)
    assert wrong.param.startswith("messages[0]")
    assert wrong.reason
    assert "my prompt" not in wrong.reason


class EndReader(RecordReader):
    """Wants to hear of the end alone."""

    def ended(self, record: RequestRecord) -> None:
        """Heard."""


def test_a_reader_is_called_only_at_the_moments_that_it_has_a_method_for() -> None:
    application = Wired().app()
    before = {moment: len(told) for moment, told in application._told.items()}
    application.read_by(EndReader())
    more = {moment: len(told) - before[moment] for moment, told in application._told.items()}
    assert more == {"started": 0, "first_token": 0, "ended": 1}


def test_errors_that_name_each_other_are_let_go() -> None:
    first, second = raised(UpstreamStatusError("one", status=500)), raised(UpstreamStatusError("two", status=500))
    first.__cause__, second.__cause__ = second, first
    _let_go(first)
    assert (first.__traceback__, second.__traceback__) == (None, None)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except UpstreamStatusError:
        return error


@dataclass
class BrokenReader(RecordReader):
    """Raises whenever it is told something."""

    told: list[str] = field(default_factory=list)

    def started(self, record: RequestRecord) -> None:
        self._break("started", record)

    def first_token(self, record: RequestRecord) -> None:
        self._break("first_token", record)

    def ended(self, record: RequestRecord) -> None:
        self._break("ended", record)

    def _break(self, moment: str, record: RequestRecord) -> None:
        self.told.append(moment)
        raise RuntimeError(record.id)


async def test_a_reader_that_raises_disturbs_nobody_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    wired, broken = Wired(), BrokenReader()
    app = wired.app()
    app.read_by(broken)
    app.read_by(after := Keeper())
    for _ in range(2):
        assert (await call(app, body=HELLO)).status == 200
    moments = ["started", "first_token", "ended"]
    assert wired.keeper.told == broken.told == after.told == moments * 2
    assert [record.getMessage() for record in caplog.records] == ["BrokenReader cannot read the records of requests"]
    assert [record.error for record in wired.keeper.records] == [""] * len(wired.keeper.records)


async def test_a_request_id_that_the_client_chose_is_not_what_a_request_is_kept_under() -> None:
    wired = Wired()
    app = wired.app()
    for _ in range(2):
        assert (await call(app, body=HELLO, headers={"x-request-id": "mine"})).headers["x-request-id"] == "mine"
    started = wired.keeper.records[0], wired.keeper.records[-1]
    assert {record.id for record in started} == {"mine"}
    assert len({record.own_id for record in started}) == 2


@pytest.mark.parametrize("body", [HELLO, STREAM, b"{"])
async def test_a_request_is_in_the_books_before_the_last_of_its_answer_goes_out(body: bytes) -> None:
    wired, told = Wired(), list[str]()

    def note(event: SendEvent) -> None:
        if event["type"] == "http.response.body" and not event["more_body"]:
            told.extend(wired.keeper.told)

    answer = await call(wired.app(), body=body, on_event=note)
    assert answer.body
    assert told[-1] == "ended"
    assert wired.keeper.told == told
