"""What a Responses request becomes: items, tools, fields."""

import json

import pytest
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, UnsupportedParameterError
from claude_openai_proxy.translate.messages_api.call_forms import CallForm
from claude_openai_proxy.translate.messages_api.kept_turns import Bound
from claude_openai_proxy.translate.models.facts import BUILT_IN
from claude_openai_proxy.translate.responses.opened import LeftOut, Opened
from translate.responses.asked import JSONObject, read, sent, turns

THINKING = Raw(b'{"type":"thinking","thinking":"Hm.","signature":"c2ln"}')
PNG = "data:image/png;base64,iVBORw0KGgo="
WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}


def user(*texts: str) -> JSONObject:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def assistant(*blocks: object) -> JSONObject:
    return {"role": "assistant", "content": list(blocks)}


def use(call_id: str, name: str, **given: object) -> JSONObject:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def result(call_id: str, content: object, **more: object) -> JSONObject:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


# ---- input ---------------------------------------------------------------------------------------------------------


def test_a_text_is_one_message_of_the_users() -> None:
    response = sent(read({"input": "Hi", "instructions": "Be brief."}))
    assert response["messages"] == [user("Hi")]
    assert response["system"] == [{"type": "text", "text": "Be brief."}]


def test_messages_of_all_roles_with_and_without_a_type() -> None:
    response = sent(
        read(
            {
                "instructions": "One.",
                "input": [
                    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Two."}]},
                    {"role": "system", "content": "Three."},
                    {"role": "user", "content": "Hi"},
                    {
                        "type": "message",
                        "id": "msg_1",
                        "role": "assistant",
                        "status": "completed",
                        "phase": "commentary",
                        "content": [
                            {"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []},
                            {"type": "refusal", "refusal": "Not that."},
                        ],
                    },
                    {"role": "user", "content": [{"type": "input_text", "text": "Go on"}]},
                ],
            }
        )
    )
    assert response["system"] == [{"type": "text", "text": text} for text in ("One.", "Two.", "Three.")]
    assert response["messages"] == [
        user("Hi"),
        assistant({"type": "text", "text": "Hello."}, {"type": "text", "text": "Not that."}),
        user("Go on"),
    ]


def test_calls_and_outputs_that_alternate_are_turns_of_their_own() -> None:
    assert turns(
        {"role": "user", "content": "Both"},
        {"type": "function_call", "call_id": "toolu_1", "name": "get_weather", "arguments": '{"city":"Paris"}'},
        {"type": "function_call_output", "call_id": "toolu_1", "output": "Sun"},
        {"type": "function_call", "call_id": "toolu_2", "name": "get_weather", "arguments": '{"city":"Rome"}'},
        {"type": "function_call_output", "call_id": "toolu_2", "output": "Rain"},
        tools=[WEATHER],
    ) == [
        user("Both"),
        assistant(use("toolu_1", "get_weather", city="Paris")),
        {"role": "user", "content": [result("toolu_1", "Sun")]},
        assistant(use("toolu_2", "get_weather", city="Rome")),
        {"role": "user", "content": [result("toolu_2", "Rain")]},
    ]


def test_outputs_are_texts_parts_or_any_json_and_an_unreadable_part_fails_nothing() -> None:
    response = read(
        {
            "input": [
                {"role": "user", "content": "Look"},
                *(
                    {"type": "function_call", "call_id": f"toolu_{number}", "name": "get_weather", "arguments": "{}"}
                    for number in range(4)
                ),
                {
                    "type": "function_call_output",
                    "call_id": "toolu_0",
                    "output": [
                        {"type": "input_text", "text": "See"},
                        {"type": "output_text", "text": "this"},
                        {"type": "input_image", "image_url": PNG, "detail": "original"},
                        {"type": "input_image", "file_id": "file-gone"},
                    ],
                },
                {"type": "function_call_output", "call_id": "toolu_1", "output": {"degrees": 18}},
                {"type": "function_call_output", "call_id": "toolu_2", "output": None},
                {"type": "function_call_output", "name": "get_weather", "output": "by name"},
            ],
            "tools": [WEATHER],
        }
    )
    messages = sent(response)["messages"]
    assert isinstance(messages, list)
    seen, dumped, nothing, named = messages[-1]["content"]
    assert seen["content"][:2] == [{"type": "text", "text": "See"}, {"type": "text", "text": "this"}]
    assert seen["content"][2]["source"]["media_type"] == "image/png"
    assert seen["content"][3]["text"].startswith("(input_image: Send the file itself")
    assert dumped["content"] == '{"degrees": 18}'
    assert "content" not in nothing
    assert named["content"] == "by name"
    assert response.translation.ignored == ("input[].output[].input_image",)


def test_the_shells_the_patch_and_the_search_for_tools_come_back_as_calls() -> None:
    response = read(
        {
            "input": [
                {"role": "user", "content": "Do it"},
                {
                    "type": "local_shell_call",
                    "id": "lsh_1",
                    "call_id": "toolu_1",
                    "status": "completed",
                    "action": {"type": "exec", "command": ["ls"], "env": {}},
                },
                {
                    "type": "shell_call",
                    "call_id": "toolu_2",
                    "action": {"commands": ["pwd"], "timeout_ms": 5},
                },
                {
                    "type": "apply_patch_call",
                    "call_id": "toolu_3",
                    "operation": {"type": "delete_file", "path": "a"},
                },
                {"type": "tool_search_call", "id": "tsc_1", "call_id": None, "arguments": {"query": "mail"}},
                {"type": "local_shell_call_output", "id": "lsh_1", "output": "a.txt"},
                {
                    "type": "shell_call_output",
                    "call_id": "toolu_2",
                    "output": [{"stdout": "/", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
                },
                {"type": "apply_patch_call_output", "call_id": "toolu_3", "status": "failed", "output": "no"},
                {"type": "tool_search_output", "call_id": None, "tools": [{"type": "function", "name": "send_mail"}]},
            ],
            "tools": [{"type": name} for name in ("local_shell", "shell", "apply_patch")]
            + [{"type": "tool_search", "execution": "client"}],
        }
    )
    request = sent(response)
    messages = request["messages"]
    assert isinstance(messages, list)
    assert messages[1] == assistant(
        use("toolu_1", "local_shell", command=["ls"], env={}),
        use("toolu_2", "shell", commands=["pwd"], timeout_ms=5),
        use("toolu_3", "apply_patch", operation={"type": "delete_file", "path": "a"}),
        use("tsc_1", "tool_search", query="mail"),
    )
    assert [block["tool_use_id"] for block in messages[2]["content"]] == ["toolu_1", "toolu_2", "toolu_3", "tsc_1"]
    assert json.loads(messages[2]["content"][1]["content"])[0]["stdout"] == "/"
    assert messages[2]["content"][2] == result("toolu_3", "no", is_error=True)
    assert messages[2]["content"][3]["content"] == "Found, and to be called from now on: send_mail."
    assert "send_mail" in [tool["name"] for tool in request["tools"]]  # type: ignore[attr-defined]


def test_an_output_without_its_call_is_a_mistake_only_where_the_history_is_stored() -> None:
    stray = {"type": "function_call_output", "call_id": "toolu_9", "output": "x"}
    assert turns({"role": "user", "content": "Hi"}, stray) == [user("Hi", "A result without its call toolu_9:", "x")]
    with pytest.raises(InvalidRequestError) as refused:
        read({"input": [stray]}, before=[{"role": "user", "content": "Hi"}])
    assert refused.value.message == "No tool call found for function call output with call_id toolu_9."
    assert refused.value.param == "input"


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "function_call_output", "output": "x"}, "input[0].call_id"),
        ({"role": "user", "content": [{"type": "input_audio", "data": "x"}]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": "of_tomorrow"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}, "input[0].content[0].file_id"),
        ({"role": "nobody", "content": "x"}, "input[0].role"),
        ({"role": "assistant", "content": [{"type": "input_image", "image_url": PNG}]}, "input[0].content[0].type"),
        ({}, "input[0].type"),
        (5, "input[0]"),
    ],
)
def test_what_cannot_be_read_is_named(item: object, param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read({"input": [item]})
    assert refused.value.param == param


def test_items_that_nobody_knows_are_told_in_words() -> None:
    response = read(
        {
            "input": [
                {"role": "user", "content": "Hi"},
                {"type": "agent_message", "id": "am_1", "content": [{"type": "text", "text": "From afar"}]},
                {"type": "mcp_list_tools", "tools": [{"name": "x"}]},
                {"type": "code_interpreter_call", "code": "1 + 1", "outputs": [{"type": "logs", "logs": "2"}]},
                {"type": "image_generation_call", "result": PNG, "revised_prompt": "a cat"},
                {"type": "empty_of_tomorrow", "number": 5},
                {"role": "user", "content": "Go on"},
            ]
        }
    )
    messages = sent(response)["messages"]
    assert isinstance(messages, list)
    assert messages[0] == user("Hi", "(agent_message: From afar)")
    assert [block["text"] for block in messages[1]["content"]] == [
        "(ran this code: 1 + 1; 2)",
        "(made an image of a cat)",
    ]
    assert messages[2]["content"][0]["type"] == "image"
    assert response.translation.ignored == (
        "input[].agent_message",
        "input[].code_interpreter_call",
        "input[].image_generation_call",
        "input[].empty_of_tomorrow",
    )


# ---- reasoning -----------------------------------------------------------------------------------------------------


def test_thinking_that_came_along_stands_before_what_followed_it_and_has_to_be_proved() -> None:
    response = read(
        {
            "input": [
                {"role": "user", "content": "Hi"},
                {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "mine"},
                {"type": "message", "role": "assistant", "content": "Hello."},
                {"role": "user", "content": "Go on"},
            ]
        },
        envelopes={"mine": Opened(blocks=[THINKING], model="m", upstream="u", prefix="p")},
    )
    assert sent(response)["messages"] == [
        user("Hi"),
        assistant({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, {"type": "text", "text": "Hello."}),
        user("Go on"),
    ]
    assert response.translation.bound == {bytes(THINKING): Bound("rs_1", "m", "u", "p")}
    assert response.left_out == []


def test_reasoning_that_cannot_be_restored_is_left_out_and_never_sent_as_text() -> None:
    response = read(
        {
            "input": [
                {"role": "user", "content": "Hi"},
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "secret"}]},
                {"type": "reasoning", "id": "rs_2", "encrypted_content": "gAAAA"},
                {"type": "reasoning", "id": "rs_3", "encrypted_content": "hers"},
                {"role": "assistant", "content": "Hello."},
                {"role": "user", "content": "Go on"},
            ]
        },
        envelopes={"hers": Opened(trouble="end_user_mismatch")},
    )
    assert sent(response)["messages"] == [user("Hi"), assistant({"type": "text", "text": "Hello."}), user("Go on")]
    assert response.left_out == [
        LeftOut("rs_2", "organization_mismatch"),
        LeftOut("rs_3", "end_user_mismatch"),
    ]


def test_of_the_current_turn_alone() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "mine"}
    response = read(
        {
            "reasoning": {"context": "current_turn"},
            "input": [
                {"role": "user", "content": "Hi"},
                reasoning,
                {"role": "assistant", "content": "Hello."},
                {"role": "user", "content": "Call"},
                {**reasoning, "id": "rs_2"},
                {"type": "function_call", "call_id": "toolu_1", "name": "get_weather", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "toolu_1", "output": "Sun"},
            ],
            "tools": [WEATHER],
        },
        envelopes={"mine": Opened(blocks=[THINKING])},
    )
    assert response.left_out == [LeftOut("rs_1", "turn_boundary")]
    assert list(response.translation.bound.values()) == [Bound("rs_2", "", "", "")]


def test_a_search_is_given_back_whole_or_told_in_words() -> None:
    found = [
        Raw(b'{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"cats"}}'),
        Raw(b'{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}'),
    ]
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "cats"},
    }
    carried = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "mine"}
    after = {"role": "assistant", "content": "Meow."}
    question, more = {"role": "user", "content": "Cats?"}, {"role": "user", "content": "More"}
    envelopes = {"mine": Opened(blocks=found)}
    for order in ([search, carried], [carried, search]):
        messages = read({"input": [question, *order, after, more]}, envelopes=envelopes).translation.request.messages
        assert [*messages[1].content[:2]] == found
    assert turns(question, search, after, more)[1] == assistant(  # type: ignore[index]
        {"type": "text", "text": "(searched the web for cats)"}, {"type": "text", "text": "Meow."}
    )


def test_a_compaction_is_a_summary_or_a_stub() -> None:
    items = [{"type": "compaction", "id": "cmp_1", "encrypted_content": "mine"}, {"role": "user", "content": "Go on"}]
    ours = read({"input": items}, envelopes={"mine": Opened(summary="We spoke of cats.")})
    assert sent(ours)["messages"] == [
        user("This conversation began earlier. A summary of what came before:\n\nWe spoke of cats.", "Go on")
    ]
    foreign = read({"input": items})
    assert foreign.translation.ignored == ("input[].compaction",)


# ---- tools ---------------------------------------------------------------------------------------------------------


def test_tools_in_a_namespace_have_names_of_their_own_and_come_back_with_it() -> None:
    response = read(
        {
            "tools": [
                {"type": "function", "name": "read", "parameters": None, "strict": None},
                {
                    "type": "namespace",
                    "name": "mcp__files",
                    "description": "Files.",
                    "tools": [
                        {"type": "function", "name": "read", "description": "Reads."},
                        {"type": "custom", "name": "write"},
                    ],
                },
                {"type": "namespace", "name": "functions", "tools": [{"type": "function", "name": "wait"}]},
            ],
            "input": [
                {"role": "user", "content": "Hi"},
                {"type": "function_call", "call_id": "toolu_1", "namespace": "mcp__files", "name": "read"},
                {"type": "custom_tool_call", "call_id": "toolu_2", "name": "write", "input": "x"},
                {"type": "function_call", "call_id": "toolu_3", "namespace": "functions", "name": "wait"},
            ],
        }
    )
    request = sent(response)
    tools = request["tools"]
    assert isinstance(tools, list)
    assert [tool["name"] for tool in tools] == ["read", "mcp__files__read", "mcp__files__write", "wait"]
    assert tools[1]["description"] == "One of the tools of mcp__files. Files.\n\nReads."
    assert response.forms["mcp__files__read"] == CallForm("function_call", "read", "mcp__files")
    assert response.forms["mcp__files__write"] == CallForm("custom_tool_call", "write", "mcp__files")
    assert request["messages"][1] == assistant(  # type: ignore[index]
        use("toolu_1", "mcp__files__read"), use("toolu_2", "mcp__files__write", input="x"), use("toolu_3", "wait")
    )


def test_names_that_meet_are_told_apart_the_same_way_each_time() -> None:
    body = {
        "tools": [
            {"type": "function", "name": "a__b"},
            {"type": "namespace", "name": "a", "tools": [{"type": "function", "name": "b"}]},
            {"type": "namespace", "name": "n" * 100, "tools": [{"type": "function", "name": "f" * 100}]},
            {"type": "function", "name": "a__b", "description": "again"},
        ]
    }
    assert list(read(body).forms) == ["a__b", "a__b_2", f"{'n' * 100}__{'f' * 24}_2"]
    assert read(body).translation.request == read(body).translation.request


def test_tools_that_cannot_run_are_left_out_and_named() -> None:
    response = read(
        {
            "tools": [
                {"type": "image_generation"},
                {"type": "mcp", "server_label": "x"},
                {"type": "of_tomorrow", "anything": [1]},
                {"type": "shell", "environment": {"type": "container_auto"}},
                {"type": "tool_search"},
                {"type": "web_search", "external_web_access": False},
                WEATHER,
            ]
        }
    )
    assert [tool["name"] for tool in sent(response)["tools"]] == ["get_weather"]  # type: ignore[attr-defined]
    assert response.translation.ignored == (
        "tools[].image_generation",
        "tools[].mcp",
        "tools[].of_tomorrow",
        "tools[].shell (container_auto)",
        "tools[].tool_search",
        "tools[].web_search",
    )


def test_tools_of_items_join_the_declared_ones_of_two_alike_the_first_counts() -> None:
    response = sent(
        read(
            {
                "tools": [{**WEATHER, "description": "first"}],
                "input": [
                    {
                        "type": "additional_tools",
                        "role": "developer",
                        "tools": [WEATHER, {"type": "custom", "name": "x"}],
                    },
                    {"role": "user", "content": "Hi"},
                ],
            }
        )
    )
    tools = response["tools"]
    assert isinstance(tools, list)
    assert [tool["name"] for tool in tools] == ["get_weather", "x"]
    assert tools[0]["description"] == "first"
    assert response["messages"] == [user("Hi")]


def test_a_grammar_is_told_and_the_input_is_the_raw_text() -> None:
    format_ = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
    tools = sent(read({"tools": [{"type": "custom", "name": "apply_patch", "description": "P.", "format": format_}]}))
    tool = tools["tools"][0]  # type: ignore[index]
    assert "lark grammar:\nstart: X" in tool["description"]
    assert tool["input_schema"]["required"] == ["input"]


def test_web_search_with_its_limits() -> None:
    request = sent(
        read(
            {
                "max_tool_calls": 3,
                "tools": [
                    {
                        "type": "web_search_preview_2025_03_11",
                        "filters": {"allowed_domains": ["example.org"]},
                        "user_location": {"type": "approximate", "city": "Paris"},
                        "search_context_size": "medium",
                    }
                ],
            }
        )
    )
    tool = request["tools"][0]  # type: ignore[index]
    assert (tool["max_uses"], tool["allowed_domains"], tool["user_location"]["city"]) == (3, ["example.org"], "Paris")


@pytest.mark.parametrize(
    ("choice", "means"),
    [
        ("none", {"type": "none"}),
        ("auto", None),
        ("required", {"type": "any"}),
        ({"type": "function", "name": "get_weather"}, {"type": "tool", "name": "get_weather"}),
        ({"type": "function", "function": {"name": "get_weather"}}, {"type": "tool", "name": "get_weather"}),
        ({"type": "function", "namespace": "ns", "name": "f"}, {"type": "tool", "name": "ns__f"}),
        ({"type": "function", "name": "f"}, {"type": "tool", "name": "ns__f"}),
        ({"type": "custom", "name": "patch"}, {"type": "tool", "name": "patch"}),
        ({"type": "local_shell"}, {"type": "tool", "name": "local_shell"}),
        ({"type": "web_search_preview"}, {"type": "tool", "name": "web_search"}),
    ],
)
def test_a_choice_in_every_form(choice: object, means: object) -> None:
    tools = [
        WEATHER,
        {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "f"}]},
        {"type": "custom", "name": "patch"},
        {"type": "local_shell"},
        {"type": "web_search"},
    ]
    request = sent(read({"tools": tools, "tool_choice": choice}, "claude-sonnet-4-6"))
    given = request.get("tool_choice")
    if isinstance(given, dict):
        given.pop("disable_parallel_tool_use", None)
    assert given == means


def test_allowed_tools_filter_web_search_as_well() -> None:
    body = {"tools": [WEATHER, {"type": "custom", "name": "x"}, {"type": "web_search"}]}
    one = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "x"}]}
    assert [tool["name"] for tool in sent(read({**body, "tool_choice": one}))["tools"]] == ["x"]  # type: ignore[attr-defined]
    search = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}
    assert [tool["name"] for tool in sent(read({**body, "tool_choice": search}))["tools"]] == ["web_search"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ({"type": "function", "name": "nobody"}, "tool_choice"),
        ({"type": "image_generation"}, "tool_choice"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "web_search"}, "tool_choice"),
        ("sometimes", "tool_choice"),
        (5, "tool_choice"),
        ({"type": "allowed_tools", "tools": [{"type": "function", "name": "nobody"}]}, "tool_choice.tools[0]"),
    ],
)
def test_a_choice_of_nothing_is_refused(choice: object, param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read({"tools": [WEATHER, {"type": "image_generation"}], "tool_choice": choice})
    assert refused.value.param == param


# ---- fields --------------------------------------------------------------------------------------------------------


def test_a_format_and_its_schema_stand_flat() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    body = {"text": {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}}}
    config = sent(read(body))["output_config"]
    assert config["format"]["schema"]["required"] == ["a"]  # type: ignore[index]
    with pytest.raises(InvalidRequestError) as refused:
        read({"text": {"format": {"type": "json_schema", "name": "n"}}})
    assert refused.value.param == "text.format.schema"


@pytest.mark.parametrize(
    ("reasoning", "thinking", "effort"),
    [
        ({"effort": "low", "summary": "auto"}, {"type": "adaptive", "display": "summarized"}, "low"),
        ({"effort": "high"}, {"type": "adaptive", "display": "omitted"}, "high"),
        ({"summary": "detailed"}, {"type": "adaptive", "display": "summarized"}, None),
        ({"effort": "none"}, None, "low"),
        ({}, None, None),
    ],
)
def test_effort_and_summary(reasoning: object, thinking: object, effort: str | None) -> None:
    request = sent(read({"reasoning": reasoning}, "claude-sonnet-5-5"))
    assert request.get("thinking") == thinking
    config = request.get("output_config")
    assert (config["effort"] if isinstance(config, dict) else None) == effort


def test_the_last_configuration_counts() -> None:
    response = read(
        {
            "reasoning": {"effort": "high", "summary": "auto"},
            "input": [
                {"type": "configuration_update", "reasoning": {"effort": "low"}},
                {"role": "user", "content": "Hi"},
                {"type": "configuration_update", "text": {"format": {"type": "json_object"}}},
            ],
        }
    )
    assert sent(response)["output_config"] == {"effort": "low"}
    assert response.translation.plan.structured


def test_fields_without_a_meaning_are_named_and_can_be_refused() -> None:
    body = {
        "top_logprobs": 3,
        "truncation": "disabled",
        "context_management": [{"type": "compaction"}],
        "image": {},
        "client_metadata": {"x": "y"},
        "seed": 5,
        "reasoning": {"mode": "pro"},
    }
    assert read(body).translation.ignored == ("context_management", "top_logprobs", "reasoning.mode", "seed")
    with pytest.raises(UnsupportedParameterError):
        read({"seed": 5}, reject=True)


@pytest.mark.parametrize(
    ("body", "param", "code", "message"),
    [
        (
            {"max_output_tokens": 15},
            "max_output_tokens",
            "integer_below_min_value",
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
        ),
        ({"max_tool_calls": 0}, "max_tool_calls", "integer_below_min_value", ">= 1, but got 0"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties", "at most 16"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length", "512"),
        ({"safety_identifier": "x" * 129}, "safety_identifier", "string_above_max_length", "128"),
        ({"input": []}, "input", "missing_required_parameter", "Missing required parameter: 'input'."),
        ({"model": None}, "model", "invalid_type", "expected a string, but got null instead"),
        ({"store": "yes"}, "store", "invalid_type", "expected a boolean, but got a string instead"),
        ({"input": 5}, "input", "invalid_type", "expected one of a string or array of input items"),
        ({"truncation": "x"}, "truncation", "invalid_value", "Supported values are: 'auto' and 'disabled'."),
        ({"include": ["x"]}, "include[0]", "invalid_value", "'file_search_call.results'"),
        ({"reasoning": {"effort": "x"}}, "reasoning.effort", "invalid_value", "'none', 'minimal'"),
        ({"messages": []}, None, "unsupported_parameter", "called 'input'"),
    ],
)
def test_mistakes_are_told_as_the_published_api_tells_them(
    body: JSONObject, param: str | None, code: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read(body)
    assert (refused.value.param, refused.value.code) == (param, code)
    assert message in refused.value.message


@pytest.mark.parametrize("model", [facts.id for facts in BUILT_IN])
def test_every_model_takes_a_request_with_all_of_it(model: str) -> None:
    request = sent(
        read(
            {
                "instructions": "Be brief.",
                "reasoning": {"effort": "medium", "summary": "auto"},
                "temperature": 0.5,
                "top_p": 0.9,
                "max_output_tokens": 20_000,
                "tools": [WEATHER, {"type": "custom", "name": "x"}, {"type": "web_search"}],
                "tool_choice": "required",
                "text": {"verbosity": "low"},
                "prompt_cache_retention": "24h",
                "service_tier": "flex",
                "user": "somebody",
            },
            model,
        )
    )
    assert request["max_tokens"] == 20_000
    assert request["service_tier"] == "standard_only"
