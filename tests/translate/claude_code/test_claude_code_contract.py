"""How the contract check judges the request that arrives."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from claude_openai_proxy.translate.claude_code.contract import SAMPLES, differences
from claude_openai_proxy.translate.claude_code.request import system_text

Body = dict[str, Any]


def arrived(sample: int = 0) -> Body:
    """The body that a faithful CLI sends for a sample."""
    body: Body = json.loads(msgspec.json.encode(SAMPLES[sample]))
    own = [
        {"type": "text", "text": "x-anthropic-billing-header: a"},
        {"type": "text", "text": "You are a Claude agent"},
    ]
    text = system_text(SAMPLES[sample])
    body["system"] = own + ([{"type": "text", "text": text}] if text else [])
    return body | {"stream": True, "metadata": {"user_id": "{}"}}


def judged(change: Callable[[Body], object], sample: int = 0) -> list[str]:
    body = arrived(sample)
    change(body)
    return differences(SAMPLES[sample], json.dumps(body).encode())


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_a_faithful_cli_keeps_the_contract(sample: int) -> None:
    assert judged(lambda _: None, sample) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda body: body["messages"].pop(), ["messages arrives changed"]),
        (lambda body: body["messages"][0]["content"][0].update(text="expanded"), ["messages arrives changed"]),
        (lambda body: body["tools"].reverse(), ["tools arrives changed"]),
        (lambda body: body["tools"][0].pop("strict"), ["tools arrives changed"]),
        (lambda body: body["system"].pop(), ["system arrives changed"]),
        (lambda body: body["system"].append({"type": "text", "text": "more"}), ["system arrives changed"]),
        (lambda body: body.update(system=None), ["system arrives changed"]),
        (lambda body: body.pop("tool_choice"), ["tool_choice does not arrive"]),
        (lambda body: body.update(max_tokens=32000), ["max_tokens arrives changed"]),
        (lambda body: body.update(model="claude-opus-5-5"), ["model arrives changed"]),
        (lambda body: body.update(thinking={"type": "adaptive"}), ["thinking arrives without having been asked for"]),
        (lambda body: body.update(brand_new=1), ["brand_new arrives without having been asked for"]),
    ],
)
def test_what_changes_on_the_way_is_named(change: Callable[[Body], object], found: list[str]) -> None:
    assert judged(change) == found


def test_a_default_that_is_spelled_out_is_no_change() -> None:
    assert judged(lambda body: body.update(temperature=1), 1) == []
    assert judged(lambda body: body.update(temperature=0.5), 1) == ["temperature arrives without having been asked for"]


def test_what_is_no_request_is_said() -> None:
    assert differences(SAMPLES[0], b"[]") == ["what arrives is not a JSON object"]
