"""What is reserved before anybody has counted: rather too much, and not absurdly much for a picture."""

import json

import pytest

from claude_openai_proxy.protocols.anthropic import MessagesRequest, SentRequest
from claude_openai_proxy.service.estimates import input_tokens, output_tokens
from claude_openai_proxy.simulator.tokens import BYTES_PER_TOKEN


def request(content: object, max_tokens: int = 100) -> MessagesRequest:
    body = {"model": "claude-opus-5-5", "max_tokens": max_tokens, "messages": [{"role": "user", "content": content}]}
    return MessagesRequest(
        model="claude-opus-5-5",
        max_tokens=max_tokens,
        messages=[],
        sent=SentRequest(path="v1/messages", body=json.dumps(body).encode()),
    )


def media(kind: str, media_type: str, data: str) -> list[object]:
    return [{"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}]


def test_text_counts_by_its_length() -> None:
    words = "word " * 30_000
    assert len(words) // BYTES_PER_TOKEN < input_tokens(request(words)) < len(words) // 2


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [
        (media("image", "image/png", "iVBOR" + "A" * 4_000_000), 5_000, 5_200),
        (media("image", "image/png", "iVBOR" + "A" * 5_000), 1_600, 1_800),
        (media("image", "image/jpeg", "/9j/" + "A" * 1_000_000) * 3, 15_000, 15_400),
        (media("document", "application/pdf", "JVBER" + "A" * 4_000_000), 200_000, 200_200),
    ],
)
def test_media_count_by_what_claude_counts_for_them(content: object, least: int, most: int) -> None:
    assert least <= input_tokens(request(content)) <= most


def test_text_that_looks_like_media_counts_as_text() -> None:
    text = '"data":"' + "A" * 9_000
    assert input_tokens(request(text)) > 3_000


def test_of_the_answer_no_more_than_8192_tokens() -> None:
    assert [output_tokens(request("Hi", limit)) for limit in (1, 8_192, 64_000)] == [1, 8_192, 8_192]
