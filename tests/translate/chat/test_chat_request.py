"""What a translation tells beside the request: what was ignored, what was mended, how the answer is read back."""

import hashlib
from collections.abc import Mapping

import pytest

from claude_openai_proxy.errors import InvalidRequestError, UnsupportedParameterError
from claude_openai_proxy.translate.chat.fields import is_legacy
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from translate.sent import Sent
from translate.shape import HELLO, assistant, function, result, user
from translate.translated import request_of, sent, translate

OPUS, SONNET_4_5 = "claude-opus-5-5", "claude-sonnet-4-5"
F = [function("f")]
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("body", "model", "ignored"),
    [
        ({"seed": 1, "logit_bias": {"1": 2}, "temperature": 0.5}, OPUS, ("logit_bias", "seed", "temperature")),
        ({"temperature": 0.5, "top_p": 0.5}, SONNET_4_5, ("top_p",)),
        ({"temperature": 1, "top_p": 1, "n": 1}, OPUS, ()),
        ({"temperature": 0.5, "reasoning_effort": "low", "top_k": 3}, SONNET_4_5, ("temperature", "top_k")),
        ({"web_search_options": {"search_context_size": "low"}}, OPUS, ("web_search_options.search_context_size",)),
    ],
)
def test_fields_without_effect_are_named(body: Mapping[str, object], model: str, ignored: tuple[str, ...]) -> None:
    assert translate(body, model).ignored == ignored


@pytest.mark.parametrize("field", ["seed", "store", "metadata", "temperature", "frequency_penalty"])
def test_fields_without_effect_are_refused_where_the_user_wants_that(field: str) -> None:
    values = {"metadata": {"a": "b"}, "store": True}
    with pytest.raises(UnsupportedParameterError) as refused:
        translate({field: values.get(field, 0.5 if field != "seed" else 7)}, OPUS, reject=True)
    assert (refused.value.param, refused.value.code) == (field, "unsupported_parameter")


def test_unknown_fields_are_reported_or_refused() -> None:
    assert translate({}, unknown=("min_p", "repetition_penalty")).ignored == ("min_p", "repetition_penalty")
    with pytest.raises(UnsupportedParameterError, match="min_p"):
        translate({}, unknown=("min_p",), reject=True)


def test_claude_code_keeps_its_own_identity() -> None:
    translation = translate({"user": "jane", "safety_identifier": "x"}, capabilities=Capabilities(metadata=False))
    assert translation.ignored == ("safety_identifier", "user")
    assert "metadata" not in sent(translation)


@pytest.mark.parametrize(
    ("body", "model", "repairs"),
    [
        ({"max_tokens": 10**7}, OPUS, ("max_tokens_clamped",)),
        ({"tools": F, "tool_choice": "required"}, OPUS, ("tool_choice_emulated",)),
        ({"tools": F, "tool_choice": "required"}, SONNET_4_5, ()),
        ({"temperature": 1.5}, SONNET_4_5, ("temperature_clamped",)),
        ({"reasoning_effort": "xhigh"}, "claude-opus-4-5", ("effort_lowered",)),
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, OPUS, ("thinking_budget_as_effort",)),
        ({"thinking": {"type": "enabled", "budget_tokens": 100}}, SONNET_4_5, ("thinking_budget_clamped",)),
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, SONNET_4_5, ()),
        ({"reasoning_effort": "none"}, OPUS, ("thinking_kept_at_lowest_effort",)),
        ({"reasoning_effort": "none"}, "claude-opus-5", ()),
        ({"max_tokens": 100}, OPUS, ("effort_lowered_for_small_limit",)),
        ({"max_tokens": 100}, "claude-sonnet-5", ("thinking_off_for_small_limit",)),
        ({"max_tokens": 4096}, OPUS, ()),
        ({"max_tokens": 1000, "reasoning_effort": "low"}, SONNET_4_5, ("thinking_off_for_small_limit",)),
        ({"messages": [user("a"), assistant("b")]}, OPUS, ("prefill_emulated",)),
        ({"messages": [user("a"), assistant("b")]}, SONNET_4_5, ()),
        ({"messages": [user("a"), result("x")]}, OPUS, ("tool_results_mended",)),
        (
            {"tools": F, "tool_choice": "required", "reasoning_effort": "high"},
            SONNET_4_5,
            ("thinking_off_for_forced_tool",),
        ),
    ],
)
def test_what_was_mended_is_named(body: Mapping[str, object], model: str, repairs: tuple[str, ...]) -> None:
    assert translate(body, model).repairs == repairs


def test_a_thinking_budget_leaves_room_for_the_answer() -> None:
    body = {"max_tokens": 5000, "reasoning_effort": "high"}
    assert Sent(sent(translate(body, SONNET_4_5))).get("thinking", "budget_tokens") == 2500
    asked = {"max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 90_000}}
    assert Sent(sent(translate(asked, SONNET_4_5))).get("thinking", "budget_tokens") == 4999


def test_the_effort_that_goes_with_thinking_off_is_limited() -> None:
    request = Sent(sent(translate({"thinking": {"type": "disabled"}, "reasoning_effort": "max"}, "claude-opus-5")))
    assert request.get("thinking", "type") == "disabled"
    assert request.get("output_config", "effort") == "high"


@pytest.mark.parametrize(
    ("body", "reasoning"),
    [
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "none"}, False),
        ({}, False),
        ({"thinking": {"type": "adaptive"}}, True),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, False),
    ],
)
def test_reasoning_comes_back_where_it_was_asked_for(body: Mapping[str, object], reasoning: bool) -> None:
    assert translate(body).plan.reasoning is reasoning


def test_the_plan_knows_aliases_custom_tools_and_stops() -> None:
    custom = {"type": "custom", "custom": {"name": "run it"}}
    plan = translate({"tools": [*F, custom], "stop": ["\n", "x"]}).plan
    assert plan.tool_names == {"run_it": "run it"}
    assert plan.custom_tools == {"run it"}
    assert plan.stop_texts == ("\n",)
    assert not plan.single_call


@pytest.mark.parametrize(
    ("wanted", "structured"),
    [
        ({"type": "text"}, False),
        ({"type": "json_object"}, True),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": OBJECT}}, True),
    ],
)
def test_the_plan_knows_whether_json_was_asked_for(wanted: object, structured: bool) -> None:
    assert translate({"response_format": wanted}).plan.structured is structured


def test_functions_come_back_in_their_old_form() -> None:
    old, new = {"functions": [{"name": "f"}]}, {"functions": [{"name": "f"}], "tools": F}
    assert is_legacy(request_of(old))
    assert translate(old).plan.single_call
    assert not is_legacy(request_of(new))
    assert not translate(new).plan.single_call


def test_an_emulated_choice_has_a_second_request_with_other_words() -> None:
    translation = translate({"tools": F, "tool_choice": "required"}, OPUS)
    assert translation.plan.forced_tool
    assert translation.retry is not None
    assert translation.retry.messages[:-1] == translation.request.messages[:-1]
    assert translation.retry.messages[-1] != translation.request.messages[-1]


def test_a_native_choice_has_no_second_request() -> None:
    translation = translate({"tools": F, "tool_choice": "required"}, SONNET_4_5)
    assert not translation.plan.forced_tool
    assert translation.retry is None


def test_strict_tools_and_the_answers_schema_share_one_budget() -> None:
    many = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(20)}}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": many}}
    translation = translate({"response_format": wanted, "tools": [function("f", many, strict=True)]})
    assert translation.repairs == ("strict_left_out",)
    assert Sent(sent(translation)).get("output_config", "format") is not None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"tools": [function("f", {"type": "array"})]}, "tools[0].function.parameters"),
        ({"tools": [{"name": "f", "input_schema": [1]}]}, "tools[0].input_schema"),
        ({"functions": [{"name": "f", "parameters": {"$ref": "#/$defs/X"}}]}, "functions[0].parameters"),
        ({"messages": [assistant(None, tool_calls=[{"id": "a"}])]}, "messages[0].tool_calls[0].function"),
        ({"messages": [assistant([{"type": "image_url", "image_url": "x"}])]}, "messages[0].content[0].type"),
        ({"tools": F, "tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"tools": F, "tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
        ({"modalities": ["audio"]}, "modalities"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(body: Mapping[str, object], param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        translate({"messages": HELLO, **body})
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("file", "param"),
    [
        ({}, "messages[0].content[0].file"),
        ({"file_id": "file-1"}, "messages[0].content[0].file.file_id"),
        ({"file_data": "AAAA"}, "messages[0].content[0].file.file_data"),
    ],
)
def test_a_file_that_is_not_sent_along_is_refused_with_its_place(file: Mapping[str, object], param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        translate({"messages": [user([{"type": "file", "file": file}])]})
    assert refused.value.param == param


def test_a_forced_web_search_is_asked_for_but_not_waited_for() -> None:
    translation = translate({"web_search_options": {}, "tool_choice": "required"}, OPUS)
    assert "tool_choice_emulated" in translation.repairs
    assert not translation.plan.forced_tool
    assert translation.retry is None


@pytest.mark.parametrize("fields", [{"safety_identifier": "hello"}, {"user": "x", "safety_identifier": "hello"}])
def test_the_safety_identifier_comes_before_the_user(fields: dict[str, object]) -> None:
    told = sent(translate(fields, "claude-opus-5-5"))["metadata"]
    assert told == {"user_id": hashlib.sha256(b"hello").hexdigest()}
