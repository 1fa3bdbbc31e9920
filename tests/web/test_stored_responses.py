"""`/v1/responses/{id}` and below: by the official SDK, and from another key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import openai
import pytest
from openai.types.responses import ResponseItem

from claude_openai_proxy.records import LOCAL, Principal
from claude_openai_proxy.web.application import Application
from web.direct import Answer, call
from web.serving import served
from web.stored import answered, message, response, said
from web.wired import NOW, Wired

ANN = {"authorization": "Bearer key-of-ann"}
BOB = {"authorization": "Bearer key-of-bob"}
THINKING: dict[str, object] = {"id": "rs_1", "type": "reasoning", "summary": []}


@asynccontextmanager
async def client_of(wired: Wired) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        served(wired.app()) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        yield client


def text_of(item: ResponseItem) -> str:
    assert item.type == "message"
    part = item.content[0]
    assert part.type in ("input_text", "output_text")
    return part.text


async def test_a_response_is_read_as_it_was_answered_and_erased() -> None:
    wired = Wired()
    await answered(wired.state, "resp_1", "Hello", "Hi there", metadata={"a": "b"})
    async with client_of(wired) as client:
        found = await client.responses.retrieve("resp_1")
        assert (found.id, found.status, found.output_text, found.model) == ("resp_1", "completed", "Hi there", "opus")
        assert (found.created_at, found.metadata) == (NOW, {"a": "b"})
        await client.responses.delete("resp_1")
        with pytest.raises(openai.NotFoundError) as caught:
            await client.responses.retrieve("resp_1")
    assert caught.value.body == {
        "message": "Response with id 'resp_1' not found.", "type": "invalid_request_error", "param": None, "code": None,
    }  # fmt: skip


async def test_deleting_says_what_is_gone() -> None:
    wired = Wired()
    await answered(wired.state, "resp_1", "Hello", "Hi there")
    deleted = await call(wired.app(), "DELETE", "/v1/responses/resp_1")
    assert msgspec.json.decode(deleted.body) == {"id": "resp_1", "object": "response", "deleted": True}


async def test_an_id_that_an_inherited_item_has_is_not_given_again() -> None:
    wired, before, asked = Wired(), "", [message("one", id="msg_a"), message("two", id="msg_a")]
    for id_ in ("resp_1", "resp_2"):
        draft = response(id_, previous_response_id=before or None)
        async with wired.state.begin(LOCAL, draft, asked) as underway:
            assert await underway.finish(draft.replace(b"in_progress", b"completed"))
        before = id_
    async with client_of(wired) as client:
        page = await client.responses.input_items.list("resp_2", limit=1)
        listed = page.data
        while page.has_next_page() and len(listed) <= 4:
            page = await page.get_next_page()
            listed += page.data
    assert [text_of(item) for item in listed] == ["two", "one", "two", "one"]
    assert len({item.id for item in listed}) == 4


async def test_input_items_are_those_that_were_sent_and_inherited_in_pages() -> None:
    wired = Wired()
    await answered(wired.state, "resp_1", "one", "first")
    await answered(wired.state, "resp_2", "two", "second", previous_response_id="resp_1")
    async with client_of(wired) as client:
        page = await client.responses.input_items.list("resp_2")
        assert [text_of(item) for item in page.data] == ["two", "first", "one"]
        assert not page.has_more
        whole = [item async for item in client.responses.input_items.list("resp_2", order="asc", limit=1)]
        assert [text_of(item) for item in whole] == ["one", "first", "two"]
        assert {item.id is not None for item in whole} == {True}
        rest = await client.responses.input_items.list("resp_2", order="asc", after="msg_of_resp_1")
        assert [text_of(item) for item in rest.data] == ["two"]


async def test_no_input_is_an_empty_list() -> None:
    wired = Wired()
    async with wired.state.begin(LOCAL, response("resp_1"), []) as underway:
        await underway.finish(response("resp_1", "completed"))
    answer = await call(wired.app(), "GET", "/v1/responses/resp_1/input_items")
    assert msgspec.json.decode(answer.body) == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False,
    }  # fmt: skip


async def test_what_only_include_asks_for_is_shown_to_who_asks() -> None:
    wired = Wired()
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    sealed = THINKING | {"encrypted_content": "cp1.sealed"}
    asked = msgspec.json.encode({"role": "user", "content": [image]})
    async with wired.state.begin(LOCAL, response("resp_1"), [asked]) as underway:
        await underway.finish(response("resp_1", "completed", output=[THINKING]), [msgspec.json.encode(sealed)])
    app = wired.app()

    plain = msgspec.json.decode((await call(app, "GET", "/v1/responses/resp_1")).body)
    asking = await call(app, "GET", "/v1/responses/resp_1?include[]=reasoning.encrypted_content")
    assert plain["output"] == [THINKING]
    assert msgspec.json.decode(asking.body)["output"] == [sealed]

    items = "/v1/responses/resp_1/input_items"
    (plain,) = msgspec.json.decode((await call(app, "GET", items)).body)["data"]
    asking = await call(app, "GET", f"{items}?include=message.input_image.image_url")
    assert plain["content"] == [{"type": "input_image", "detail": "auto"}]
    assert msgspec.json.decode(asking.body)["data"][0]["content"] == [image]


async def test_what_the_request_included_is_in_the_response_for_good() -> None:
    wired = Wired()
    sealed = THINKING | {"encrypted_content": "cp1.sealed"}
    include = ["reasoning.encrypted_content"]
    async with wired.state.begin(LOCAL, response("resp_1"), [], include=include) as underway:
        await underway.finish(response("resp_1", "completed", output=[sealed]))
    found = await call(wired.app(), "GET", "/v1/responses/resp_1")
    assert msgspec.json.decode(found.body)["output"] == [sealed]


async def test_a_response_that_waits_for_nobody_can_alone_be_cancelled() -> None:
    wired = Wired()
    await answered(wired.state, "resp_1", "one", "first")
    async with client_of(wired) as client:
        with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
            await client.responses.cancel("resp_1")
        with pytest.raises(openai.NotFoundError):
            await client.responses.cancel("resp_9")


async def test_one_under_way_is_read_as_far_as_it_is() -> None:
    wired = Wired()
    async with wired.state.begin(LOCAL, response("resp_1"), [message("one")]) as underway:
        found = await call(wired.app(), "GET", "/v1/responses/resp_1")
        told = msgspec.json.decode(found.body)
        assert (told["status"], told["output"]) == ("in_progress", [])
        await underway.finish(response("resp_1", "completed", output=[said("first", "msg_1")]))


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("order=up", "order"),
        ("after=msg_9", "after"),
        ("include[]=everything", "include[0]"),
    ],
)
async def test_a_wrong_query_is_refused_at_its_member(query: str, param: str) -> None:
    wired = Wired()
    await answered(wired.state, "resp_1", "one", "first")
    answer = await call(wired.app(), "GET", f"/v1/responses/resp_1/input_items?{query}")
    assert (answer.status, answer.error.type, answer.error.param) == (400, "invalid_request_error", param)


async def test_another_keys_response_is_not_found_anywhere() -> None:
    wired = Wired(keys={"key-of-ann": "ann", "key-of-bob": "bob"})
    await answered(wired.state, "resp_1", "one", "first", Principal("ann", "ann"))
    app = wired.app()

    async def asked(headers: dict[str, str]) -> list[Answer]:
        return [
            await call(app, method, f"/v1/responses/resp_1{rest}", headers=headers)
            for method, rest in (("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", ""))
        ]

    for answer in await asked(BOB):
        assert (answer.status, answer.error.message) == (404, "Response with id 'resp_1' not found.")
    assert [answer.status for answer in await asked(ANN)] == [200, 200, 400, 200]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/responses/resp_1"),
        ("DELETE", "/v1/responses/resp_1"),
        ("GET", "/v1/responses/resp_1/input_items"),
        ("GET", "/v1/conversations/conv_1"),
        ("POST", "/v1/conversations"),
    ],
)
async def test_without_a_store_the_setting_is_named(method: str, path: str) -> None:
    app: Application = Wired(responses=None).app()
    answer = await call(app, method, path, b"{}" if method == "POST" else b"")
    assert answer.status == 400
    assert "RESPONSES_STORE=off" in answer.error.message
