"""Batches by key: Message Batches at Claude's side, OpenAI's files at the client's."""

import json

import pytest
from openai import AsyncOpenAI, ConflictError
from openai.types import Completion
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import BaseModel

from batches.files import MODEL, Endpoint, JSONObject, chat, create, ended, jsonl, line, results
from claude_openai_proxy.simulator import Script
from robustness.whole_proxy import WholeProxy

BODIES: dict[Endpoint, JSONObject] = {
    "/v1/chat/completions": chat("Count to three"),
    "/v1/completions": {"model": MODEL, "prompt": "Once", "max_tokens": 20},
    "/v1/responses": {"model": MODEL, "input": "Count to three", "max_output_tokens": 50},
}
TYPES: dict[Endpoint, type[BaseModel]] = {
    "/v1/chat/completions": ChatCompletion,
    "/v1/completions": Completion,
    "/v1/responses": Response,
}
ODD_IDS = ["a.b/c:d e", "😀", "x" * 500, "__proto__", "", "ümläut", "line\nbreak", "6c65747465-1-0", "1"]


def paused(text: str) -> Script:
    """A turn that wants to go on after a search."""
    search: list[JSONObject] = [
        {"type": "text", "text": text},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}},
    ]
    return Script.blocks(search, stop_reason="pause_turn")


def asked(proxy: WholeProxy) -> list[JSONObject]:
    """Every request of every Message Batch that was made."""
    return [request for batch in proxy.simulator.batches.all.values() for request in batch.requests]


async def test_an_unmodified_script_gets_its_results(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    content = jsonl(line(f"request-{number}", chat(f"Number {number}")) for number in range(5))
    batch = await create(client, content, metadata={"purpose": "evaluation"})
    assert (batch.status, batch.object, batch.completion_window) == ("validating", "batch", "24h")
    batch = await ended(client, batch)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 5, "completed": 5, "failed": 0}
    assert batch.error_file_id is None
    assert batch.metadata == {"purpose": "evaluation"}
    assert batch.model == MODEL
    assert None not in (batch.in_progress_at, batch.finalizing_at, batch.completed_at)
    told = await results(client, batch.output_file_id)
    assert [one["custom_id"] for one in told] == [f"request-{number}" for number in range(5)]
    for one in told:
        assert one["error"] is None
        assert one["response"]["status_code"] == 200
    assert len(proxy.simulator.batches.all) == 1
    listed = [file.id async for file in client.files.list(purpose="batch_output")]
    assert listed == [batch.output_file_id]
    assert [known.id async for known in client.batches.list()] == [batch.id]


@pytest.mark.parametrize("endpoint", list(BODIES))
async def test_every_endpoint_answers_as_its_live_route(client: AsyncOpenAI, endpoint: Endpoint) -> None:
    body = BODIES[endpoint]
    batch = await ended(client, await create(client, jsonl([line("a", body, endpoint)]), endpoint))
    (told,) = await results(client, batch.output_file_id)
    live = json.loads(await client.post(endpoint.removeprefix("/v1"), body=body, cast_to=str))
    answer = told["response"]["body"]
    TYPES[endpoint].model_validate(answer)
    assert without_what_differs(answer) == without_what_differs(live)


def without_what_differs(value: object) -> object:
    """Ids, times and the tier."""
    names = {"id", "created", "created_at", "completed_at", "service_tier"}
    if isinstance(value, dict):
        return {name: without_what_differs(inner) for name, inner in value.items() if name not in names}
    return [without_what_differs(inner) for inner in value] if isinstance(value, list) else value


async def test_what_is_asked_is_what_the_live_route_asks(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    tool = {"type": "function", "function": {"name": "look.up", "parameters": {"type": "object", "properties": {}}}}
    body = chat("Look", tools=[tool], temperature=0.5, seed=3)
    await ended(client, await create(client, jsonl([line("a", body)])))
    await client.post("/chat/completions", body=body, cast_to=str)
    live = next(request for request in proxy.simulator.requests if request.is_message)
    (request,) = asked(proxy)
    assert without_marks(request["params"]) == without_marks(json.loads(live.body))


async def test_a_beginning_that_several_lines_share_is_cached_for_all_and_a_lone_one_is_not(
    client: AsyncOpenAI, proxy: WholeProxy
) -> None:
    shared = {"role": "system", "content": "You judge essays."}
    alone = {"role": "system", "content": "You count words."}

    def essay(number: int, system: JSONObject) -> JSONObject:
        return chat() | {"messages": [system, {"role": "user", "content": f"Essay {number}"}]}

    lines = [line(str(number), essay(number, alone if number == 3 else shared)) for number in range(5)]
    await ended(client, await create(client, jsonl(lines)))
    systems = [json.dumps(request["params"]["system"]) for request in asked(proxy)]
    hour = {"type": "ephemeral", "ttl": "1h"}
    assert [json.loads(system)[-1].get("cache_control") for system in systems] == [hour, hour, hour, None, hour]
    assert len(set(systems)) == 2
    assert all("cache_control" not in json.dumps(request["params"]["messages"]) for request in asked(proxy))


async def test_marks_of_the_clients_own_stay(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    part = {"type": "text", "text": "You judge essays.", "cache_control": {"type": "ephemeral"}}
    body = chat() | {"messages": [{"role": "system", "content": [part]}, {"role": "user", "content": "Essay"}]}
    await ended(client, await create(client, jsonl(line(str(number), body) for number in range(5))))
    for request in asked(proxy):
        assert request["params"]["system"][-1]["cache_control"] == {"type": "ephemeral"}


def without_marks(value: object) -> object:
    """Marks differ, and what asks for a stream."""
    if isinstance(value, dict):
        left_out = ("cache_control", "stream")
        return {name: without_marks(inner) for name, inner in value.items() if name not in left_out}
    return [without_marks(inner) for inner in value] if isinstance(value, list) else value


async def test_any_custom_id_comes_back_and_none_goes_out(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    content = jsonl(line(id_, chat()) for id_ in ODD_IDS)
    first, second = await create(client, content), await create(client, content)
    for batch in (await ended(client, first), await ended(client, second)):
        assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ODD_IDS
    names = [str(request["custom_id"]) for request in asked(proxy)]
    assert len(set(names)) == 2 * len(ODD_IDS)
    assert not set(names) & set(ODD_IDS)


async def test_bad_bodies_are_error_lines_and_the_others_run(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    lines = [line(f"r{number}", chat()) for number in range(20)]
    lines[7] = line("r7", chat(temperature="hot"))
    lines[9] = line("r9", chat(n=0))
    batch = await ended(client, await create(client, jsonl(lines)))
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 20, "completed": 18, "failed": 2}
    assert batch.status == "completed"
    errors = await results(client, batch.error_file_id)
    assert [one["custom_id"] for one in errors] == ["r7", "r9"]
    for one in errors:
        assert one["error"] is None
        assert one["response"]["status_code"] == 400
        assert one["response"]["body"]["error"]["type"] == "invalid_request_error"
    assert errors[0]["response"]["body"]["error"]["param"] == "temperature"
    assert len(await results(client, batch.output_file_id)) == 18
    assert len(asked(proxy)) == 18


async def test_when_all_bodies_are_bad_nobody_is_asked(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    batch = await ended(client, await create(client, jsonl([line("a", chat(n=0)), line("b", chat(n=-1))])))
    assert (batch.status, batch.output_file_id) == ("completed", None)
    assert len(await results(client, batch.error_file_id)) == 2
    assert proxy.simulator.batches.all == {}


@pytest.mark.parametrize(
    ("upstream", "status", "type_"),
    [
        (400, 400, "invalid_request_error"),
        (413, 413, "invalid_request_error"),
        (429, 429, "rate_limit_error"),
        (500, 500, "server_error"),
        (529, 503, "server_error"),
    ],
)
async def test_what_claude_refuses_is_an_error_line_of_that_status(
    client: AsyncOpenAI, proxy: WholeProxy, upstream: int, status: int, type_: str
) -> None:
    proxy.simulator.play(Script.error(upstream, "No."))
    batch = await ended(client, await create(client, jsonl([line("a", chat()), line("b", chat())])))
    (refused,) = await results(client, batch.error_file_id)
    assert (refused["custom_id"], refused["error"]) == ("a", None)
    assert refused["response"]["status_code"] == status
    assert refused["response"]["body"]["error"]["type"] == type_
    assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["b"]


async def test_several_choices_are_several_requests_and_one_line(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.text("one"), Script.text("two"), Script.text("three"))
    batch = await ended(client, await create(client, jsonl([line("a", chat(n=3)), line("b", chat("Else"))])))
    told = await results(client, batch.output_file_id)
    answer = ChatCompletion.model_validate(told[0]["response"]["body"])
    assert sorted(choice.message.content or "" for choice in answer.choices) == ["one", "three", "two"]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len(asked(proxy)) == 4


async def test_a_list_of_prompts_is_one_line(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    body = {"model": MODEL, "prompt": [f"p{number}" for number in range(10)], "max_tokens": 20}
    proxy.simulator.play(*(Script.text(f"answer {number}") for number in range(10)))
    batch = await ended(client, await create(client, jsonl([line("a", body, "/v1/completions")]), "/v1/completions"))
    (told,) = await results(client, batch.output_file_id)
    texts = [choice["text"] for choice in told["response"]["body"]["choices"]]
    assert texts == [f"answer {number}" for number in range(10)]


async def test_one_failed_choice_fails_the_line(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.text("one"), Script.error(500, "No."))
    batch = await ended(client, await create(client, jsonl([line("a", chat(n=2))])))
    assert batch.output_file_id is None
    (told,) = await results(client, batch.error_file_id)
    assert told["response"]["status_code"] == 500


async def test_a_paused_turn_goes_on_in_a_second_round(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play(paused("First,"), Script.text("else"), Script.text(" then."))
    lines = [line("a", chat(web_search_options={})), line("b", chat())]
    batch = await ended(client, await create(client, jsonl(lines)))
    told = await results(client, batch.output_file_id)
    choice = told[0]["response"]["body"]["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("First, then.", "stop")
    assert told[1]["response"]["body"]["choices"][0]["message"]["content"] == "else"
    made = list(proxy.simulator.batches.all.values())
    assert [len(one.requests) for one in made] == [2, 1]


async def test_a_turn_that_stays_paused_ends_with_length(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play(*(paused(f"{number}") for number in range(5)))
    batch = await ended(client, await create(client, jsonl([line("a", chat(web_search_options={}))])))
    (told,) = await results(client, batch.output_file_id)
    choice = told["response"]["body"]["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("012", "length")
    assert len(proxy.simulator.batches.all) == 3


async def test_a_refusal_with_a_remedy_is_mended_once(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    proxy.simulator.play(Script.error(400, "The compiled grammar is too large."), Script.text('{"a": "b"}'))
    batch = await ended(client, await create(client, jsonl([line("a", chat(response_format=wanted))])))
    (told,) = await results(client, batch.output_file_id)
    assert json.loads(told["response"]["body"]["choices"][0]["message"]["content"]) == {"a": "b"}
    first, second = asked(proxy)
    assert "format" in first["params"]["output_config"]
    assert "format" not in second["params"].get("output_config", {})


async def test_a_choice_that_pauses_among_several_goes_on_alone(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.text("A"), paused("B"), Script.text("C"), Script.text(" goes on"))
    batch = await ended(client, await create(client, jsonl([line("a", chat(n=3, web_search_options={}))])))
    (told,) = await results(client, batch.output_file_id)
    texts = sorted(choice["message"]["content"] for choice in told["response"]["body"]["choices"])
    assert texts == ["A", "B goes on", "C"]


async def test_fields_without_effect_are_told_in_the_line(client: AsyncOpenAI) -> None:
    batch = await ended(client, await create(client, jsonl([line("a", chat(seed=5)), line("b", chat())])))
    told = await results(client, batch.output_file_id)
    assert told[0]["response"]["x_ignored_parameters"] == ["seed"]
    assert "x_ignored_parameters" not in told[1]["response"]


async def test_usage_is_the_sum_of_all_answers(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    usage: JSONObject = {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 7}
    proxy.simulator.play(Script.text("a", usage=usage), Script.text("b", usage=usage), Script.error(500, "No."))
    batch = await ended(client, await create(client, jsonl(line(id_, chat()) for id_ in "abc")))
    assert batch.usage is not None
    assert (batch.usage.input_tokens, batch.usage.input_tokens_details.cached_tokens) == (30, 10)
    assert (batch.usage.output_tokens, batch.usage.total_tokens) == (14, 44)


async def test_responses_are_kept_when_they_say_so_and_not_twice(client: AsyncOpenAI) -> None:
    bodies = [BODIES["/v1/responses"], BODIES["/v1/responses"] | {"store": False}]
    lines = [line(str(number), body, "/v1/responses") for number, body in enumerate(bodies)]
    batch = await ended(client, await create(client, jsonl(lines), "/v1/responses"))
    kept, other = [one["response"]["body"]["id"] for one in await results(client, batch.output_file_id)]
    assert (await client.responses.retrieve(kept)).id == kept
    following = {"model": MODEL, "input": "More", "previous_response_id": kept}
    batch = await ended(client, await create(client, jsonl([line("a", following, "/v1/responses")]), "/v1/responses"))
    (told,) = await results(client, batch.output_file_id)
    assert told["response"]["body"]["previous_response_id"] == kept
    assert other != kept


@pytest.mark.parametrize("member", [{"background": True}, {"conversation": "conv_1"}])
async def test_what_needs_an_order_is_an_error_line(client: AsyncOpenAI, member: JSONObject) -> None:
    body = BODIES["/v1/responses"] | member
    batch = await ended(client, await create(client, jsonl([line("a", body, "/v1/responses")]), "/v1/responses"))
    (told,) = await results(client, batch.error_file_id)
    assert told["response"]["status_code"] == 400
    assert told["response"]["body"]["error"]["param"] in member


async def test_one_that_is_cancelled_ends_with_what_was_done(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.batches.seconds = 3600
    batch = await create(client, jsonl(line(id_, chat()) for id_ in "ab"))
    while batch.status != "in_progress":
        batch = await client.batches.retrieve(batch.id)
    batch = await client.batches.cancel(batch.id)
    assert batch.status == "cancelling"
    batch = await ended(client, batch)
    assert (batch.status, batch.output_file_id) == ("cancelled", None)
    assert batch.cancelled_at is not None
    for one in await results(client, batch.error_file_id):
        assert one["response"] is None
        assert one["error"]["code"] == "batch_cancelled"
    assert (await client.batches.cancel(batch.id)).status == "cancelled"


async def test_one_that_has_completed_cannot_be_cancelled(client: AsyncOpenAI) -> None:
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    with pytest.raises(ConflictError) as refused:
        await client.with_options(max_retries=2).batches.cancel(batch.id)
    assert "Cannot cancel a batch with status 'completed'." in refused.value.message


async def test_lines_that_claude_lets_expire_are_told(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.batches.seconds = 3600
    batch = await create(client, jsonl([line("a", chat())]))
    while not proxy.simulator.batches.all:
        batch = await client.batches.retrieve(batch.id)
    (made,) = proxy.simulator.batches.all.values()
    made.created -= 90_000
    batch = await ended(client, batch)
    assert batch.status == "expired"
    assert batch.expired_at is not None
    (told,) = await results(client, batch.error_file_id)
    assert (told["response"], told["error"]) == (
        None,
        {
            "code": "batch_expired",
            "message": "This request could not be executed before the completion window expired.",
        },
    )


async def test_an_input_that_is_deleted_meanwhile_is_read_to_the_end(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.batches.seconds = 3600
    batch = await create(client, jsonl([line("a", chat())]))
    while not proxy.simulator.batches.all:
        batch = await client.batches.retrieve(batch.id)
    await client.files.delete(batch.input_file_id)
    for made in proxy.simulator.batches.all.values():
        made.seconds = 0
    batch = await ended(client, batch)
    assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["a"]


async def test_polling_clients_cause_no_request_to_claude(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    before = len(proxy.simulator.requests)
    for _ in range(30):
        await client.batches.retrieve(batch.id)
        await client.batches.list()
    assert len(proxy.simulator.requests) == before
