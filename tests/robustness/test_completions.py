"""Bodies of legacy completions that are none, through the whole proxy."""

import json

import pytest

from robustness.whole_proxy import WholeProxy
from web.direct import call

PATH = "/v1/completions"


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[]", b'{"model": "claude-sonnet-5"}', b'{"model": "claude-sonnet-5", "prompt": null}',
        b'{"prompt": {}}', b'{"prompt":' + b"[" * 100_000, b'{"prompt": "x", "n": 0}', b'{"prompt": "\xff"}',
        b'{"prompt": "x", "tomorrow": ' + b"[" * 200 + b"]" * 200 + b"}",
    ],
)  # fmt: skip
async def test_a_malformed_body_is_400(proxy: WholeProxy, body: bytes) -> None:
    answer = await call(proxy.app, path=PATH, body=body, headers={"content-type": "application/json"})
    assert (answer.status, answer.error.type) == (400, "invalid_request_error")
    assert not any(request.is_message for request in proxy.simulator.requests)


async def test_half_a_character_is_replaced_and_told(proxy: WholeProxy) -> None:
    body = b'\xef\xbb\xbf{"model": "claude-sonnet-5", "prompt": "\\ud83d!", "echo": true, "max_tokens": 50}'
    answer = await call(proxy.app, path=PATH, body=body)
    assert json.loads(answer.body)["choices"][0]["text"].startswith("\ufffd!")
    assert "half_characters_replaced" in answer.headers["x-repairs"]


async def test_the_record_has_what_all_texts_used(proxy: WholeProxy) -> None:
    body = json.dumps({"model": "claude-sonnet-5", "prompt": ["a", "b"], "max_tokens": 50}).encode()
    usage = json.loads((await call(proxy.app, path=PATH, body=body)).body)["usage"]
    (record,) = proxy.ledger.records
    assert (record.input_tokens, record.output_tokens) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert (record.route, record.finish_reason) == (PATH, "stop")
    assert sum(request.is_message for request in proxy.simulator.requests) == 2
