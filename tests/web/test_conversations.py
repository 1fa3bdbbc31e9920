"""`/v1/conversations` and below: by the official SDK, and from another key."""

from typing import Literal, cast

import msgspec
import openai
import pytest
from msgspec import Raw
from openai.types.conversations import ConversationItem
from openai.types.responses import EasyInputMessageParam

from claude_openai_proxy.records import LOCAL, Principal
from claude_openai_proxy.web.application import Application
from web.direct import Answer, call
from web.stored import answered, message, response
from web.test_stored_responses import ANN, BOB, client_of
from web.wired import NOW, Wired

CALL: dict[str, object] = {
    "type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{}", "status": "completed",
}  # fmt: skip


NUMBERS = ["one", "two", "three", "four", "five"]
ORDERS: tuple[Literal["asc", "desc"], ...] = ("asc", "desc")


def named(text: str, id_: str) -> EasyInputMessageParam:
    """A message with an id of the client's; the SDK's type has none."""
    return cast("EasyInputMessageParam", {"type": "message", "role": "user", "content": text, "id": id_})


def texts(items: list[ConversationItem]) -> list[str]:
    return [item.content[0].text for item in items if item.type == "message"]  # type: ignore[union-attr]


async def test_a_conversation_is_made_read_changed_and_erased() -> None:
    async with client_of(Wired()) as client:
        made = await client.conversations.create(metadata={"topic": "tea"})
        assert (made.id[:5], made.created_at, made.metadata) == ("conv_", NOW, {"topic": "tea"})
        changed = await client.conversations.update(made.id, metadata={"topic": "coffee"})
        assert changed.metadata == {"topic": "coffee"}
        assert (await client.conversations.retrieve(made.id)).metadata == {"topic": "coffee"}
        deleted = await client.conversations.delete(made.id)
        assert (deleted.id, deleted.object, deleted.deleted) == (made.id, "conversation.deleted", True)
        with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found"):
            await client.conversations.retrieve(made.id)


async def test_items_are_added_listed_read_and_deleted() -> None:
    async with client_of(Wired()) as client:
        made = await client.conversations.create(items=[{"role": "user", "content": "one"}])
        added = await client.conversations.items.create(
            made.id,
            items=[
                {"type": "message", "role": "assistant", "content": "two"},
                {"type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{}"},
                named("three", "msg_mine"),
            ],
        )
        assert texts(added.data) == ["two", "three"]
        assert not added.has_more
        listed = [item async for item in client.conversations.items.list(made.id, order="asc", limit=2)]
        assert texts(listed) == ["one", "two", "three"]
        assert listed[2].type == "function_call"
        assert listed[2].call_id == "toolu_1"
        newest = await client.conversations.items.list(made.id, limit=1)
        assert (texts(newest.data), newest.has_more) == (["three"], True)

        one = await client.conversations.items.retrieve("msg_mine", conversation_id=made.id)
        assert texts([one]) == ["three"]
        left = await client.conversations.items.delete("msg_mine", conversation_id=made.id)
        assert left.id == made.id
        with pytest.raises(openai.NotFoundError, match="Item with id 'msg_mine' not found"):
            await client.conversations.items.retrieve("msg_mine", conversation_id=made.id)
        rest = [item async for item in client.conversations.items.list(made.id)]
        assert texts(rest) == ["two", "one"]


async def test_an_id_that_comes_again_is_another_items_so_that_no_page_is_lost_or_repeated() -> None:
    wired = Wired()
    async with client_of(wired) as client:
        made = await client.conversations.create(items=[named("one", "msg_a"), named("two", "msg_a")])
        await client.conversations.items.create(made.id, items=[named("three", "msg_a"), named("four", "msg_b")])
        draft, asked = response("resp_1", conversation={"id": made.id}), message("five", id="msg_b")
        async with wired.state.locked(LOCAL, made.id), wired.state.begin(LOCAL, draft, [asked]) as underway:
            assert await underway.finish(draft.replace(b"in_progress", b"completed"))
        for order, told in zip(ORDERS, (NUMBERS, NUMBERS[::-1]), strict=True):
            page = await client.conversations.items.list(made.id, order=order, limit=1)
            listed = page.data
            while page.has_next_page() and len(listed) <= len(NUMBERS):
                page = await page.get_next_page()
                listed += page.data
            assert texts(listed) == told
            assert len({item.id for item in listed}) == len(NUMBERS)
        kept = await client.conversations.items.retrieve("msg_a", conversation_id=made.id)
        assert texts([kept]) == ["one"]


async def test_what_a_response_brought_is_among_its_items_and_stays_without_it() -> None:
    wired = Wired()
    async with client_of(wired) as client:
        made = await client.conversations.create()
        async with wired.state.locked(LOCAL, made.id):
            await answered(wired.state, "resp_1", "one", "first", conversation={"id": made.id})
        await client.responses.delete("resp_1")
        assert texts((await client.conversations.items.list(made.id, order="asc")).data) == ["one", "first"]


async def test_while_a_response_works_on_it_nobody_else_changes_it() -> None:
    wired = Wired()
    async with client_of(wired) as client:
        made = await client.conversations.create(items=[named("one", "msg_1")])
        async with wired.state.locked(LOCAL, made.id):
            for change in (
                client.conversations.items.create(made.id, items=[{"role": "user", "content": "two"}]),
                client.conversations.items.delete("msg_1", conversation_id=made.id),
                client.conversations.delete(made.id),
            ):
                with pytest.raises(openai.BadRequestError) as caught:
                    await change
                assert (caught.value.code, caught.value.param) == ("conversation_locked", "conversation")
            assert (await client.conversations.retrieve(made.id)).id == made.id
        await client.conversations.items.create(made.id, items=[{"role": "user", "content": "two"}])


PAIRS = {f"key {number}": "value" for number in range(17)}


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [
        ("", {"items": [CALL] * 21}, "items", "array_above_max_length"),
        ("", {"items": ["text"]}, "items[0]", None),
        ("", {"items": [CALL, {"type": "message", "role": "user", "content": 5}]}, "items[1].content", None),
        ("", {"items": [{"role": "user", "content": [5]}]}, "items[0].content[0]", None),
        ("", {"items": [{"role": "martian", "content": "hi"}]}, "items[0].role", None),
        ("", {"items": [CALL | {"name": 5}]}, "items[0].name", None),
        ("", {"items": [{"content": "hi"}]}, "items[0].type", "missing_required_parameter"),
        ("", {"items": [{"type": "item_reference", "id": "msg_1"}]}, "items[0].type", None),
        ("", {"metadata": PAIRS}, "metadata", "object_above_max_properties"),
        ("", {"metadata": {"k" * 65: "v"}}, "metadata", "string_above_max_length"),
        ("", {"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
        ("", {"metadata": {"k": 1}}, "metadata[...]", None),
        ("/conv_1", {}, "metadata", "missing_required_parameter"),
        ("/conv_1/items", {}, "items", "missing_required_parameter"),
        ("/conv_1/items", {"items": [CALL] * 21}, "items", "array_above_max_length"),
    ],
)
async def test_what_is_wrong_is_refused_at_its_place(
    path: str, body: dict[str, object], param: str, code: str | None
) -> None:
    wired = Wired()
    app = wired.app()
    assert (await call(app, "POST", "/v1/conversations", b"{}")).status == 200
    answer = await call(app, "POST", f"/v1/conversations{path}", msgspec.json.encode(body))
    assert (answer.status, answer.error.type) == (400, "invalid_request_error")
    assert (answer.error.param, answer.error.code) == (param.replace("[...]", ""), code)


@pytest.mark.parametrize("body", [b"", b"{", b'{"items": [' + b"[" * 600 + b"]" * 600 + b"]}", b"[]"])
async def test_a_body_that_is_no_such_object_is_refused(body: bytes) -> None:
    answer = await call(Wired().app(), "POST", "/v1/conversations", body, headers={"content-type": "application/json"})
    assert (answer.status, answer.error.type) == (400, "invalid_request_error")


async def test_another_keys_conversation_is_not_found_anywhere() -> None:
    wired = Wired(keys={"key-of-ann": "ann", "key-of-bob": "bob"})
    app: Application = wired.app()
    item = {"role": "user", "content": "one", "id": "msg_1"}
    body = msgspec.json.encode({"items": [item]})
    made = msgspec.json.decode((await call(app, "POST", "/v1/conversations", body, headers=ANN)).body)["id"]

    async def asked(headers: dict[str, str]) -> list[Answer]:
        return [
            await call(app, method, f"/v1/conversations/{made}{rest}", sent, headers=headers)
            for method, rest, sent in (
                ("GET", "", b""),
                ("POST", "", b'{"metadata":{}}'),
                ("GET", "/items", b""),
                ("POST", "/items", body),
                ("GET", "/items/msg_1", b""),
                ("DELETE", "/items/msg_1", b""),
                ("DELETE", "", b""),
            )
        ]

    for answer in await asked(BOB):
        assert (answer.status, answer.error.message) == (404, f"Conversation with id '{made}' not found.")
    assert [answer.status for answer in await asked(ANN)] == [200] * 7
    assert await wired.state.item(Principal("bob", "bob"), "msg_1") is None


async def test_an_items_text_is_kept_as_it_was_sent() -> None:
    wired = Wired()
    made = msgspec.json.decode(
        (await call(wired.app(), "POST", "/v1/conversations", b'{"items":[{"role":"user","content":"one"}]}')).body
    )["id"]
    (kept,) = await wired.state.history(LOCAL, conversation=made)
    assert isinstance(kept, Raw)
    assert msgspec.json.decode(kept)["content"] == "one"
