"""Legacy completions: the official openai SDK, LangChain's old class, and what goes over the wire."""

import json

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from claude_openai_proxy.simulator import Script
from clients.proxies import MODEL, Proxy


def test_a_text_is_completed(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(" a time", usage={"input_tokens": 5, "output_tokens": 3}))
    completion = client.completions.create(model=MODEL, prompt="Once upon", max_tokens=50)
    (choice,) = completion.choices
    assert (choice.text, choice.index, choice.finish_reason, choice.logprobs) == (" a time", 0, "stop", None)
    assert (completion.object, completion.model) == ("text_completion", MODEL)
    assert completion.id.startswith("cmpl-")
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 3
    (asked,) = proxy.asked()
    assert asked["max_tokens"] == 50
    assert "Once upon" in json.dumps(asked["messages"])


async def test_it_comes_in_pieces_with_the_usage_at_the_end(async_client: AsyncOpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(" a time, there was", pieces=4))
    stream = await async_client.completions.create(
        model=MODEL, prompt="Once upon", stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == " a time, there was"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert {chunk.object for chunk in chunks} == {"text_completion"}


def test_choices_of_many_prompts_stand_in_order(client: OpenAI, proxy: Proxy) -> None:
    completion = client.completions.create(model=MODEL, prompt=["first", "second"], n=2, max_tokens=50, echo=True)
    assert [choice.index for choice in completion.choices] == [0, 1, 2, 3]
    assert [choice.text[:5] for choice in completion.choices] == ["first", "first", "secon", "secon"]
    assert len(proxy.asked()) == 4


def test_more_prompts_than_are_asked_at_once_all_come(client: OpenAI) -> None:
    prompts = [f"prompt {number};" for number in range(11)]
    completion = client.completions.create(model=MODEL, prompt=prompts, max_tokens=50, echo=True)
    assert [choice.text.partition(";")[0] + ";" for choice in completion.choices] == prompts


def test_a_stop_of_white_space_cuts_the_text(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.text(" a time\nand more"))
    completion = client.completions.create(model=MODEL, prompt="Once upon", stop="\n", max_tokens=50)
    assert (completion.choices[0].text, completion.choices[0].finish_reason) == (" a time", "stop")


def test_wrong_requests_name_their_field(client: OpenAI) -> None:
    for fields, param in (({"logprobs": 3}, "logprobs"), ({"max_tokens": 0}, "max_tokens"), ({"temperature": 3}, "temperature")):  # fmt: skip  # noqa: E501
        with pytest.raises(openai.BadRequestError) as caught:
            client.completions.create(model=MODEL, prompt="x", extra_body=fields)
        assert caught.value.param == param
    with pytest.raises(openai.BadRequestError, match="token ids"):
        client.completions.create(model=MODEL, prompt=[1, 2, 3])


def test_what_has_no_effect_is_told(client: OpenAI) -> None:
    response = client.completions.with_raw_response.create(
        model=MODEL, prompt="x", seed=1, best_of=2, logit_bias={"1": 1}, extra_body={"tomorrow": 1}
    )
    told = response.headers["x-ignored-parameters"].split(", ")
    assert {"seed", "best_of", "logit_bias", "tomorrow"} <= set(told)


def test_errors_of_claude_have_their_status(client: OpenAI, proxy: Proxy) -> None:
    proxy.play(Script.error(429, "Slow down"))
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        client.completions.create(model=MODEL, prompt="x")


def test_langchains_old_class_completes_and_streams(proxy: Proxy) -> None:
    langchain_openai = pytest.importorskip("langchain_openai", reason="client langchain-openai is not installed")
    model = langchain_openai.OpenAI(model=MODEL, base_url=proxy.base_url, api_key="any", max_retries=0)
    proxy.play(Script.text(" a time"), Script.text(" a time"))
    assert model.invoke("Once upon") == " a time"
    assert "".join(model.stream("Once upon")) == " a time"
