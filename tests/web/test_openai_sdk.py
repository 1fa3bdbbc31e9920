"""The official SDK against a real server: what it reads out of our answers, and which errors it raises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from claude_openai_proxy.errors import (
    InvalidRequestError,
    NoLoginError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamStatusError,
)
from web.fake_service import FakeChat, Script
from web.serving import served
from web.wired import Wired

MODEL = "custom-claude-4-opus"
HI: ChatCompletionUserMessageParam = {"role": "user", "content": "Hi"}


@asynccontextmanager
async def client_of(wired: Wired, *, retries: int = 0) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        served(wired.app()) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=retries) as client,
    ):
        yield client


async def test_a_whole_answer() -> None:
    async with client_of(Wired()) as client:
        completion = await client.chat.completions.create(model=MODEL, messages=[HI])
    assert completion.choices[0].message.content == "Hello"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 5


async def test_a_streamed_answer_with_usage() -> None:
    async with client_of(Wired(chat=FakeChat(Script(steps=["One", [" two", " three"]])))) as client:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[HI], stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "One two three"
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequestError("Wrong.", param="n"), openai.BadRequestError),
        (NoLoginError("Log in."), openai.AuthenticationError),
        (UpstreamStatusError("Not yours.", status=403), openai.PermissionDeniedError),
        (UpstreamStatusError("model: x", status=404), openai.NotFoundError),
        (UpstreamStatusError("Odd.", status=422), openai.UnprocessableEntityError),
        (UpstreamStatusError("Slow down.", status=429), openai.RateLimitError),
        (UpstreamConnectionError("Refused."), openai.InternalServerError),
    ],
)
async def test_each_error_is_raised_as_its_class(error: ProxyError, kind: type[openai.APIStatusError]) -> None:
    async with client_of(Wired(chat=FakeChat(Script(before=[error])))) as client:
        with pytest.raises(kind) as caught:
            await client.chat.completions.create(model=MODEL, messages=[HI])
    assert caught.value.request_id == "req-1"
    assert error.message in caught.value.message


async def test_what_makes_no_sense_to_repeat_is_not_repeated() -> None:
    wired = Wired(chat=FakeChat(Script(before=[UpstreamConnectionError("Refused.", reached=False)])))
    async with client_of(wired, retries=2) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model=MODEL, messages=[HI])
    assert len(wired.chat.requests) == 1


async def test_an_error_in_a_stream_is_raised_while_it_is_read() -> None:
    wired = Wired(chat=FakeChat(Script(steps=["One", UpstreamConnectionError("Cut off.")])))
    async with client_of(wired) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=[HI], stream=True)
        with pytest.raises(openai.APIError, match="Cut off"):
            _ = [chunk async for chunk in stream]


async def test_leaving_a_stream_cancels_the_work() -> None:
    wired = Wired(chat=FakeChat(Script(steps=["One", asyncio.Event()])))
    async with client_of(wired) as client:
        async with await client.chat.completions.create(model=MODEL, messages=[HI], stream=True) as stream:
            async for _ in stream:
                break
        await wired.chat.cancelled.wait()


async def test_models() -> None:
    async with client_of(Wired()) as client:
        assert [model.id async for model in client.models.list()] == [MODEL]
        assert (await client.models.retrieve("org/claude-test-1")).owned_by == "anthropic"
