"""Every rule refuses a request that is wrong in just that way, and good requests pass on every model."""

import pytest

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.loose_json import JSONObject, object_in, text_in
from claude_openai_proxy.simulator.model_table import MODELS, Model, model_named
from claude_openai_proxy.simulator.rules import RULES, Refusal, refusal_of
from simulator.known_bad import (
    CLOSED,
    KNOWN_BAD,
    MARK,
    PICTURE,
    TOOL,
    Bad,
    assistant,
    called,
    closed_with,
    request,
    result,
    said,
    schema_for_answer,
    talk,
    tool_talk,
    user,
)

CALLABLE = [model for model in MODELS if model.lifecycle != "retired"]
every_model = pytest.mark.parametrize("model", CALLABLE, ids=lambda model: model.id)


def refusal(body: object, *, version: str = "2023-06-01", counting: bool = False) -> Refusal | None:
    model = model_named(text_in(object_in(body).get("model")), MODELS)
    return refusal_of(Asked(body, version=version, model=model, counting=counting))


def test_every_rule_has_a_name_of_its_own_and_a_known_bad_request() -> None:
    assert [rule.name for rule in RULES] == list(dict.fromkeys(rule.name for rule in RULES))
    assert sorted(rule.name for rule in RULES) == sorted(KNOWN_BAD)


@pytest.mark.parametrize(("name", "bad"), KNOWN_BAD.items(), ids=KNOWN_BAD)
def test_a_known_bad_request_is_refused_by_the_rule_it_breaks(name: str, bad: Bad) -> None:
    model = model_named(text_in(object_in(bad.body).get("model")), MODELS)
    found = refusal_of(
        Asked(
            bad.body,
            size=bad.size,
            version=bad.version,
            betas=bad.betas,
            model=model,
            not_in_plan=bad.not_in_plan,
            tokens=bad.tokens,
        )
    )
    assert found is not None
    assert found.rule.name == name
    assert bad.words in found.message


@every_model
def test_a_plain_question_passes(model: Model) -> None:
    assert refusal(request(model.id)) is None


@every_model
def test_the_maximum_of_tokens_passes_and_one_more_does_not(model: Model) -> None:
    assert refusal(request(model.id, max_tokens=model.max_output)) is None
    assert refusal(request(model.id, max_tokens=model.max_output + 1)) is not None


@every_model
def test_a_round_of_parallel_tools_passes(model: Model) -> None:
    calls = assistant([said("One moment."), called("toolu_1"), called("toolu_2")])
    body = tool_talk(user("x"), calls, user([result("toolu_2"), result("toolu_1"), said("and?")]), model=model.id)
    assert refusal(body) is None


@every_model
def test_every_effort_of_the_model_passes(model: Model) -> None:
    assert [refusal(request(model.id, output_config={"effort": effort})) for effort in model.efforts] == [
        None for _ in model.efforts
    ]


@every_model
def test_every_thinking_type_of_the_model_passes(model: Model) -> None:
    budget = {"enabled": {"budget_tokens": 1024}}
    for kind in model.thinking:
        assert refusal(request(model.id, thinking={"type": kind, **budget.get(kind, {})})) is None


@every_model
def test_a_temperature_passes_only_where_the_model_has_one(model: Model) -> None:
    assert (refusal(request(model.id, temperature=0.2)) is None) == model.sampling
    assert refusal(request(model.id, temperature=1)) is None


@every_model
def test_a_forced_tool_choice_passes_only_where_the_model_takes_it(model: Model) -> None:
    body = request(model.id, tools=[TOOL], tool_choice={"type": "tool", "name": "lookup"})
    assert (refusal(body) is None) == model.forced_tool_choice


@every_model
def test_a_last_turn_of_the_assistant_passes_only_where_the_model_goes_on_from_it(model: Model) -> None:
    assert (refusal(talk(user("x"), assistant("So"), model=model.id)) is None) == model.prefill


@every_model
def test_a_system_message_after_a_user_turn_passes_only_where_the_model_takes_it(model: Model) -> None:
    body = talk(user("x"), {"role": "system", "content": "y"}, model=model.id)
    assert (refusal(body) is None) == model.system_in_messages


@pytest.mark.parametrize(
    "body",
    [
        talk(assistant("Hi"), user("x")),
        talk(user("a"), user("b"), assistant("c"), assistant("d"), user("e")),
        talk(user("x"), assistant([said(" "), said("y")]), user("z")),
        tool_talk(user("x"), assistant([called()]), user([result()]), assistant([called()]), user([result()])),
        tool_talk(user("x"), assistant([called("a"), called("b")]), user([result("a")]), user([result("b")])),
        request(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}]),
        request(tools=[TOOL], tool_choice={"type": "none"}),
        request(cache_control=MARK, system=[said("a", cache_control={**MARK, "ttl": "1h"})]),
        request(metadata={"user_id": "c2b1f0d8a7"}, service_tier="auto", stop_sequences=["END"]),
        talk(user([PICTURE, said("What is it?")])),
        schema_for_answer(closed_with("a", {"anyOf": [{"type": "string"}, {"type": "null"}]})),
        schema_for_answer({**CLOSED, "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"enum": [1, 2]}}}),
        request(tools=[{"name": "a", "strict": True, "input_schema": CLOSED}]),
    ],
)
def test_what_the_api_takes_is_not_refused(body: JSONObject) -> None:
    assert refusal(body) is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (talk({"role": "user", "content": "x", "name": "ann"}), "messages.0.name: Extra inputs are not permitted"),
        (talk({"role": "tool", "content": "x"}), "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
        (talk(user(7)), "messages.0.content: Input should be a valid list"),
        (request(stop_sequences="END"), "stop_sequences: Input should be a valid list"),
        (request(temperature=1.5), "temperature: Input should be less than or equal to 1"),
        (request(service_tier="flex"), "service_tier: Input should be 'auto' or 'standard_only'"),
        (request(metadata={"user_id": "x" * 257}), "metadata.user_id: String should have at most 256 characters"),
        (request(tools=[{**TOOL, "name": "a.b"}]), "tools.0.custom.name: String should match pattern"),
        (request(tools=[{"name": "a"}]), "tools.0.custom.input_schema: Field required"),
        (request(thinking={"type": "enabled", "budget_tokens": 1000}), "thinking.enabled.budget_tokens: Input should"),
        (request(output_config={"effort": "huge"}), "output_config.effort: Input should be 'low', 'medium'"),
        (tool_talk(user("x"), assistant([called("a:b")]), user([result()])), "messages.1.content.0.tool_use.id"),
        (request(messages="x"), "messages: Input should be a valid list"),
        (
            talk(user([{"type": "image", "source": {"type": "base64", "media_type": "image/jpg", "data": ""}}])),
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'",
        ),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(body: JSONObject, words: str) -> None:
    found = refusal(body)
    assert found is not None
    assert words in found.message


def test_a_field_of_a_beta_passes_only_with_a_beta() -> None:
    body = request(context_management={"edits": []})
    model = model_named("claude-opus-4-6", MODELS)
    assert refusal(body) is not None
    assert refusal_of(Asked(body, betas="context-management-2025-06-27", model=model)) is None


def test_counting_takes_a_prompt_and_nothing_else() -> None:
    prompt = {"model": "claude-opus-4-6", "messages": [user("x")]}
    assert refusal(prompt, counting=True) is None
    found = refusal({**prompt, "max_tokens": 5}, counting=True)
    assert found is not None
    assert found.message == "max_tokens: Extra inputs are not permitted"


@pytest.mark.parametrize("type_", [[], {}, 1, ["text"], True])
def test_a_type_that_is_no_text_is_refused_like_one_that_nobody_knows(type_: object) -> None:
    for body in (talk(user([{"type": type_}])), request(thinking={"type": type_}), request(tools=[{"type": type_}])):
        refused = refusal(body)
        assert refused is not None
        assert refused.rule.status == 400
