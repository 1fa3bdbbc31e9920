"""The proxy's own secrets and the places of its files, when somebody quotes them."""

import pytest

from claude_openai_proxy.errors import InvalidRequestError, NoLoginError, UpstreamStatusError
from claude_openai_proxy.web.blotting import Blotter
from web.direct import HELLO, STREAM, call
from web.fake_service import FakeChat, Head, Script
from web.wired import Wired

SECRET = "sk-ant-made-up-0123"
BLOTTER = Blotter(lambda: (SECRET, "short"), {"/home/ann": "~", "/home/ann/proxy": ".", "/": "root", "": "nothing"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"invalid x-api-key: {SECRET}.", "invalid x-api-key: ***."),
        (f"{SECRET}{SECRET}", "******"),
        ("short is a word", "short is a word"),
        ("There is no CLI at /home/ann/.local/bin/claude.", "There is no CLI at ~/.local/bin/claude."),
        ("/home/ann/proxy/.env: line 2", "./.env: line 2"),
        ("/home/annabel stays, and so does https://x/home/ann", "/home/annabel stays, and so does https://x/home/ann"),
        ("GET /v1/models", "GET /v1/models"),
    ],
)
def test_what_must_not_go_out_is_taken_out(text: str, told: str) -> None:
    assert BLOTTER.all(text) == told


@pytest.mark.parametrize("body", [HELLO, STREAM])
@pytest.mark.parametrize(
    "script",
    [
        Script(before=[UpstreamStatusError(f"bad key {SECRET}", status=401, request_id=f"req {SECRET}")]),
        Script(before=[UpstreamStatusError("bad", status=400, error_type=SECRET)]),
        Script(before=[UpstreamStatusError("bad", status=429, rate_limits=(
            ("anthropic-ratelimit-requests-limit", SECRET),))]),
        Script(before=[NoLoginError("There is no CLI at /home/ann/claude.")]),
        Script(before=[InvalidRequestError("no", param=SECRET)]),
        Script(steps=["Hi", UpstreamStatusError(f"bad key {SECRET}", status=500)]),
        Script(head=Head(upstream_request_id=SECRET)),
    ],
)  # fmt: skip
async def test_errors_and_headers_are_blotted(script: Script, body: bytes) -> None:
    answer = await call(Wired(chat=FakeChat(script), blot=BLOTTER.all).app(), body=body)
    told = answer.body + repr(answer.headers).encode()
    assert SECRET.encode() not in told
    assert b"/home/ann" not in told


async def test_what_the_model_said_is_never_altered() -> None:
    answer = await call(Wired(chat=FakeChat(Script(steps=[SECRET])), blot=BLOTTER.all).app(), body=HELLO)
    assert SECRET.encode() in answer.body
