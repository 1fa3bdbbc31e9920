"""Chat completions with `store: true`, read and changed later by the official SDK; the built-in simulator answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionUserMessageParam

from claude_openai_proxy.app.wiring import create_app, wire
from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.settings import Flags, Settings, load_settings
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.web.application import Application
from web.direct import call
from web.serving import served
from web.wired import Keeper

MODEL = "custom-claude-4-opus"
HI: ChatCompletionUserMessageParam = {"role": "user", "content": "Hi"}
CHATS = "/v1/chat/completions"


def demo_settings(home: Path, **environment: str) -> Settings:
    return load_settings(Flags(demo=True), {"HOME": str(home), **environment}, home)


@asynccontextmanager
async def demo(home: Path, **environment: str) -> AsyncIterator[Application]:
    wiring = wire(demo_settings(home, **environment))
    async with wiring.running():
        yield wiring.application


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Application]:
    async with demo(tmp_path) as made:
        yield made


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        served(create_app(demo_settings(tmp_path))) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as made,
    ):
        yield made


async def stored(client: openai.AsyncOpenAI, text: str = "Hi", model: str = MODEL, **metadata: str) -> ChatCompletion:
    return await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": text}], store=True, metadata=metadata
    )


async def test_a_completion_is_read_as_it_was_answered(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[HI], store=True, metadata={"user": "ann"}, n=2
    )
    assert "x-ignored-parameters" not in answer.headers
    made = answer.parse()
    found = await client.chat.completions.retrieve(made.id)
    assert found.model_dump(exclude={"metadata"}) == made.model_dump(exclude={"metadata"})
    assert found.metadata == {"user": "ann"}
    assert len(found.choices) == 2


async def test_a_streamed_one_is_there_when_its_end_goes_out(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model=MODEL, messages=[HI], store=True, stream=True)
    chunks = [chunk async for chunk in stream]
    found = await client.chat.completions.retrieve(chunks[0].id)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert found.choices[0].message.content == said
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None
    assert found.usage.completion_tokens > 0


async def test_only_who_asks_for_it_is_kept(client: openai.AsyncOpenAI) -> None:
    for store in (False, None):
        made = await client.chat.completions.create(model=MODEL, messages=[HI], store=store)
        with pytest.raises(openai.NotFoundError, match=f"Chat completion with id '{made.id}' not found"):
            await client.chat.completions.retrieve(made.id)
    assert (await client.chat.completions.list()).data == []


async def test_metadata_without_store_has_no_effect_and_is_told_of(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.with_raw_response.create(model=MODEL, messages=[HI], metadata={"a": "b"})
    assert answer.headers["x-ignored-parameters"] == "metadata"


async def test_lists_have_pages_and_filters(client: openai.AsyncOpenAI) -> None:
    made = [await stored(client, model=model, number=str(number), even=str(number % 2 == 0))
            for number, model in enumerate([MODEL, MODEL, "custom-claude-4-sonnet", MODEL])]  # fmt: skip
    ids = [one.id for one in made]
    listed = [one.id async for one in client.chat.completions.list(limit=1)]
    assert sorted(listed) == sorted(ids)
    assert [one.id async for one in client.chat.completions.list(limit=3, order="desc")] == listed[::-1]
    page = await client.chat.completions.list(limit=2)
    assert ([one.id for one in page.data], page.has_next_page()) == (listed[:2], True)
    even = await client.chat.completions.list(metadata={"even": "True"})
    assert {one.id for one in even.data} == {ids[0], ids[2]}
    both = await client.chat.completions.list(metadata={"even": "True"}, model=MODEL)
    assert [one.id for one in both.data] == [ids[0]]
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.list(after="chatcmpl-none")
    assert caught.value.param == "after"


async def test_metadata_is_changed_and_the_answer_is_not(client: openai.AsyncOpenAI) -> None:
    made = await stored(client, topic="tea")
    changed = await client.chat.completions.update(made.id, metadata={"topic": "coffee"})
    assert changed.metadata == {"topic": "coffee"}
    assert changed.choices == made.choices
    assert (await client.chat.completions.list(metadata={"topic": "tea"})).data == []


async def test_what_is_deleted_is_gone_with_its_messages(client: openai.AsyncOpenAI) -> None:
    made = await stored(client)
    deleted = await client.chat.completions.delete(made.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (made.id, "chat.completion.deleted", True)
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.messages.list(made.id)
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.delete(made.id)


async def test_messages_are_those_that_were_sent(client: openai.AsyncOpenAI) -> None:
    image = "https://example.org/dot.png"
    made = await client.chat.completions.create(
        model=MODEL,
        store=True,
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": image}},
                ],
            },
            {"role": "assistant", "content": "A dot."},
            {"role": "user", "content": "Sure?"},
        ],
    )
    messages = [one async for one in client.chat.completions.messages.list(made.id, limit=3)]
    assert [one.role for one in messages] == ["system", "user", "assistant", "user"]
    assert [one.content for one in messages] == ["Be brief.", None, "A dot.", "Sure?"]
    assert len({one.id for one in messages}) == 4
    parts = messages[1].content_parts
    assert parts is not None
    assert [part.type for part in parts] == ["text", "image_url"]
    newest = await client.chat.completions.messages.list(made.id, order="desc", limit=1)
    assert [one.content for one in newest.data] == ["Sure?"]


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"store": "yes"}, "store", "invalid_type"),
        ({"store": True, "metadata": {"a": 1}}, "metadata", "invalid_type"),
        ({"store": True, "metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ],
)
async def test_what_cannot_be_kept_so_is_refused(
    app: Application, fields: dict[str, object], param: str, code: str
) -> None:
    body = msgspec.json.encode({"model": MODEL, "messages": [HI], **fields})
    answer = await call(app, body=body)
    assert (answer.status, answer.error.param, answer.error.code) == (400, param, code)


async def test_without_a_store_it_is_declined_as_before(tmp_path: Path) -> None:
    body = msgspec.json.encode({"model": MODEL, "messages": [HI], "store": True, "metadata": {"a": "b"}})
    async with demo(tmp_path, RESPONSES_STORE="off") as app:
        answer = await call(app, body=body)
        listed = await call(app, "GET", CHATS)
    assert (answer.status, answer.headers["x-ignored-parameters"]) == (200, "metadata, store")
    assert (listed.status, "RESPONSES_STORE=off" in listed.error.message) == (400, True)


async def test_another_keys_completion_is_not_found_anywhere(tmp_path: Path) -> None:
    body = msgspec.json.encode({"model": MODEL, "messages": [HI], "store": True})
    ann, bob = ({"authorization": f"Bearer key-of-{name}"} for name in ("ann", "bob"))
    async with demo(tmp_path, PROXY_API_KEYS="ann:key-of-ann,bob:key-of-bob") as app:
        made = msgspec.json.decode((await call(app, body=body, headers=ann)).body)["id"]
        one = f"{CHATS}/{made}"
        asked = (
            ("GET", one, b""),
            ("POST", one, b'{"metadata":{}}'),
            ("GET", f"{one}/messages", b""),
            ("DELETE", one, b""),
        )
        for method, path, sent in asked:
            answer = await call(app, method, path, sent, headers=bob)
            assert (answer.status, answer.error.message) == (404, f"Chat completion with id '{made}' not found.")
        assert msgspec.json.decode((await call(app, "GET", CHATS, headers=bob)).body)["data"] == []
        statuses = [(await call(app, method, path, sent, headers=ann)).status for method, path, sent in asked]
    assert statuses == [200] * 4


async def test_a_client_that_leaves_has_nothing_kept(app: Application) -> None:
    leaves = asyncio.Event()
    leaves.set()
    body = msgspec.json.encode({"model": MODEL, "messages": [HI], "store": True, "stream": True})
    await call(app, body=body, leaves=leaves)
    assert msgspec.json.decode((await call(app, "GET", CHATS)).body)["data"] == []


async def test_what_the_disk_does_not_take_is_answered_and_told_of(tmp_path: Path) -> None:
    wiring = wire(demo_settings(tmp_path))
    wiring.application.read_by(keeper := Keeper())
    assert wiring.stores.responses is not None
    wiring.stores.responses.add = refuse  # type: ignore[method-assign, assignment]
    body = msgspec.json.encode({"model": MODEL, "messages": [HI], "store": True})
    async with wiring.running():
        answer = await call(wiring.application, body=body)
        listed = await call(wiring.application, "GET", CHATS)
    assert (answer.status, answer.headers["x-repairs"]) == (200, "not_stored")
    assert keeper.records[0].repairs == ["not_stored"]
    assert msgspec.json.decode(listed.body)["data"] == []


async def test_the_record_of_a_stream_tells_it_before_its_end(tmp_path: Path) -> None:
    wiring = wire(demo_settings(tmp_path))
    told: list[list[str]] = []

    class Reader(RecordReader):
        def ended(self, record: RequestRecord) -> None:
            told.append([*record.repairs])

    wiring.application.read_by(Reader())
    assert wiring.stores.responses is not None
    wiring.stores.responses.add = refuse  # type: ignore[method-assign, assignment]
    body = msgspec.json.encode({"model": MODEL, "messages": [HI], "store": True, "stream": True})
    async with wiring.running():
        answer = await call(wiring.application, body=body)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert told == [["not_stored"]]


async def refuse(*_: object) -> None:
    raise StorageUnavailableError("The disk is full.")
