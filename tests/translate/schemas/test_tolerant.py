"""Members without a type are taken out and named, wherever they stand; what has one keeps its bytes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, ContentPart, ImageURLPart
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder
from translate.shapes import ACCEPTED
from translate.translated import HELLO, translate

REQUESTS: TolerantDecoder[ChatCompletionRequest] = TolerantDecoder(ChatCompletionRequest)
PARTS: TolerantDecoder[ContentPart] = TolerantDecoder(ContentPart)


def decoded(**body: object) -> tuple[ChatCompletionRequest, list[str]]:
    request, unknown = REQUESTS.decode(json.dumps({"messages": HELLO, **body}).encode())
    return request, list(unknown)


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/a.png", "format": "png"}}
FUNCTION = {"name": "f", "parameters": {"a": 1.0}, "x": 1}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"zz": 1}, ["zz"]),
        ({"messages": [{"role": "user", "content": "Hi", "weight": 1}]}, ["messages[].weight"]),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, ["messages[].content[].image_url.format"]),
        ({"tools": [{"type": "function", "function": FUNCTION}]}, ["tools[].function.x"]),
        ({"tools": [{"type": "function", "function": FUNCTION}], "zz": 1}, ["tools[].function.x", "zz"]),
        ({"response_format": {"type": "text", "schema": {}}}, ["response_format.schema"]),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "mode": 1}, "x": 1}},
            ["response_format.json_schema.mode", "response_format.x"],
        ),
        ({"stream_options": {"include_usage": True, "x": 1}}, ["stream_options.x"]),
        ({"tool_choice": {"type": "function", "function": {"name": "f", "x": 1}}}, ["tool_choice.function.x"]),
        ({"web_search_options": {"user_location": {"approximate": {"zip": 1}}}},
         ["web_search_options.user_location.approximate.zip"]),
        ({"thinking": {"type": "adaptive", "x": 1}}, ["thinking.x"]),
    ],
)  # fmt: skip
def test_a_member_without_a_type_is_named_with_its_place(body: dict[str, Any], named: list[str]) -> None:
    assert decoded(**body)[1] == named


def test_what_stands_beside_it_keeps_its_bytes() -> None:
    body = (
        b'{"messages":[{"role":"user","content":"Hi"}],"x":1,"tools":[{"name":"f","y":2,"input_schema": {"a" : 1.0}}]}'
    )
    request, unknown = REQUESTS.decode(body)
    assert bytes(request.tools[0].input_schema) == b'{"a" : 1.0}'  # type: ignore[index]  # there is one
    assert {name: list(map(bytes, values)) for name, values in unknown.items()} == {"x": [b"1"], "tools[].y": [b"2"]}


@pytest.mark.parametrize("name", ["stream_options", "web_search_options", "prompt_cache_options", "reasoning"])
def test_an_empty_list_is_an_empty_object_where_only_an_object_can_stand(name: str) -> None:
    request, unknown = decoded(**{name: []})
    assert getattr(request, name) == type(getattr(request, name))()
    assert unknown == []


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"messages":[[]]}', b'{"messages":[{"role":"user","content":"x"}],"thinking":[]}', b'{"messages":{}}'],
)
def test_an_empty_list_is_none_where_that_would_be_a_guess(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match="Expected"):
        REQUESTS.decode(body)


def test_a_wrong_value_beside_an_unknown_member_is_told_with_its_place() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"`text` - at `\$\.messages\[1\]\.content\[0\]`"):
        decoded(messages=[{"role": "user", "content": "a", "x": 1}, {"role": "user", "content": [{"type": "text"}]}])


def test_a_type_that_is_a_choice_of_kinds_is_read_by_its_tag() -> None:
    part, unknown = PARTS.decode(b'{"x":1,"type":"image_url","image_url":"https://a.example"}')
    assert (part, list(unknown)) == (ImageURLPart(image_url="https://a.example"), ["x"])
    for wrong in (b'{"type":"wizard","x":1}', b'{"type":1,"x":1}', b'{"x":1}'):
        with pytest.raises(msgspec.ValidationError):
            PARTS.decode(wrong)


def test_requests_without_any_are_decoded_as_they_are() -> None:
    for shape in ACCEPTED:
        body = json.dumps({"messages": HELLO, **shape.body}).encode()
        request, unknown = REQUESTS.decode(body)
        if not unknown:
            assert msgspec.json.decode(body, type=ChatCompletionRequest) == request


@given(st.sampled_from(ACCEPTED), st.data())
def test_with_members_strewn_in_the_request_is_the_same(shape: Any, data: st.DataObject) -> None:
    body = {"messages": HELLO, **shape.body}
    strewn = json.loads(json.dumps(body))
    holders = [strewn, *(message for message in strewn["messages"]), *(strewn.get("tools") or ())]
    data.draw(st.sampled_from(holders))["of the future"] = {"a": [1]}
    plain, _ = REQUESTS.decode(json.dumps(body).encode())
    request, unknown = REQUESTS.decode(json.dumps(strewn).encode())
    assert request == plain
    assert [name for name in unknown if name.endswith("of the future")]


def test_what_is_handed_back_of_an_answer_is_not_reported_and_anything_else_is() -> None:
    answer = {"role": "assistant", "content": "Ho", "annotations": [{"type": "url_citation"}], "audio": None}
    call = {"id": "a", "index": 1, "type": "function", "function": {"name": "f", "arguments": "{}"}, "x": None}
    asked = {"role": "user", "content": [{"type": "text", "text": "Hi", "priority": 1}]}
    result = {
        "role": "tool",
        "tool_call_id": "a",
        "content": [{"type": "text", "text": "ok", "y": 1, "annotations": 1}],
    }
    body = {"messages": [asked, {**answer, "tool_calls": [call]}, result], "response_format": {"type": "text", "z": 1}}

    ignored = translate(body).ignored

    assert ignored == ("messages[].content[].priority", "response_format.z", "messages[].content[].y")
