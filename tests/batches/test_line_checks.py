"""What fails a whole batch before anything is asked: row by row of the published checks."""

import json

import pytest
from openai import AsyncOpenAI, BadRequestError

from batches.files import CHAT, MODEL, JSONObject, chat, create, ended, jsonl, line, results
from robustness.whole_proxy import WholeProxy

GOOD = line("good", chat())


def without(name: str) -> str:
    whole: JSONObject = json.loads(GOOD)
    return json.dumps({key: value for key, value in whole.items() if key != name})


def body_without(name: str) -> JSONObject:
    return {key: value for key, value in chat().items() if key != name}


@pytest.mark.parametrize(
    ("bad", "code", "param"),
    [
        ("{", "invalid_json_line", None),
        ("[1]", "invalid_request", None),
        ("null", "invalid_request", None),
        ("5", "invalid_request", None),
        ('{"a":' * 100_000, "invalid_json_line", None),
        (without("custom_id"), "missing_required_parameter", "custom_id"),
        (without("method"), "missing_required_parameter", "method"),
        (without("url"), "missing_required_parameter", "url"),
        (without("body"), "missing_required_parameter", "body"),
        (GOOD.replace('"good"', "5"), "invalid_request", "custom_id"),
        (line("b", chat(), method="GET"), "invalid_request", "method"),
        (line("b", chat(), url="/v1/completions"), "invalid_url", "url"),
        (json.dumps({"custom_id": "b", "method": "POST", "url": CHAT, "body": "x"}), "invalid_request", "body"),
        (GOOD, "duplicate_custom_id", "custom_id"),
        (line("b", chat(stream=True)), "streaming_unsupported", "body.stream"),
        (line("b", body_without("model")), "invalid_request", "body.model"),
        (line("b", body_without("messages")), "invalid_request", "body.messages"),
        (line("b", chat() | {"model": "gpt-none"}), "model_not_found", "body.model"),
        (line("b", chat() | {"model": 5}), "invalid_request", "body.model"),
    ],
)
async def test_one_bad_line_fails_the_batch(
    client: AsyncOpenAI, proxy: WholeProxy, bad: str, code: str, param: str | None
) -> None:
    batch = await ended(client, await create(client, jsonl([GOOD, "", bad])))
    assert batch.status == "failed"
    assert batch.failed_at is not None
    assert batch.errors is not None
    assert [(one.code, one.param, one.line) for one in batch.errors.data or []] == [(code, param, 3)]
    assert (batch.output_file_id, batch.error_file_id) == (None, None)
    assert proxy.simulator.batches.all == {}


async def test_all_bad_lines_are_listed_up_to_a_hundred(client: AsyncOpenAI) -> None:
    batch = await ended(client, await create(client, jsonl([GOOD, *["{}"] * 150])))
    assert batch.errors is not None
    assert [one.line for one in batch.errors.data or []] == list(range(2, 102))


async def test_marks_line_ends_and_separators_do_no_harm(client: AsyncOpenAI) -> None:
    raw = json.dumps(json.loads(line("b", chat("one\u2028two"))), ensure_ascii=False)
    content = b"\xef\xbb\xbf" + line("a", chat()).encode() + b"\r\n\r\n  \n" + raw.encode() + b"\n" + b"\n"
    content += line("c", chat()).encode()
    batch = await ended(client, await create(client, content))
    assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["a", "b", "c"]


async def test_several_models_may_stand_in_one_file(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    lines = [line("a", chat()), line("b", chat() | {"model": "claude-haiku-4-5"})]
    batch = await ended(client, await create(client, jsonl(lines)))
    told = await results(client, batch.output_file_id)
    assert [one["response"]["body"]["model"] for one in told] == [MODEL, "claude-haiku-4-5"]
    (made,) = proxy.simulator.batches.all.values()
    assert len({json.dumps(request["params"]) for request in made.requests}) == 2


@pytest.mark.parametrize(
    ("name", "content"), [("input.txt", jsonl([GOOD])), ("input.jsonl", b"\n"), ("input.jsonl", b"hello\n")]
)
async def test_what_is_no_file_of_lines_is_not_taken(client: AsyncOpenAI, name: str, content: bytes) -> None:
    with pytest.raises(BadRequestError) as refused:
        await client.files.create(file=(name, content), purpose="batch")
    assert refused.value.body == {
        "message": "Invalid file format for Batch API. Must be .jsonl",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
