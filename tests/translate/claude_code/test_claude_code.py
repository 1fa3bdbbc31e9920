"""A Messages request as the lines that specialise a Claude Code process."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import (
    Base64Source,
    CacheControlEphemeral,
    ImageBlockParam,
    JSONOutputFormat,
    MessageParam,
    MessagesRequest,
    Metadata,
    OutputConfig,
    TextBlockParam,
    ThinkingConfigAdaptive,
    ThinkingConfigDisabled,
    ToolParam,
    ToolResultBlockParam,
    WebSearchTool,
)
from claude_openai_proxy.protocols.claude_code import ControlRequestFrame
from claude_openai_proxy.translate.claude_code.frames import decode_frame
from claude_openai_proxy.translate.claude_code.request import (
    TURN_TEXT_CHARACTERS,
    initialize_frame,
    interrupt_frame,
    mcp_answer,
    tool_names,
    turn_frames,
    turn_text,
)

MARK = CacheControlEphemeral()
BASH = ToolParam("Bash", Raw(b'{"type":"object"}'))


def asking(text: str = "Hello", **fields: object) -> MessagesRequest:
    messages = [MessageParam("user", [TextBlockParam(text)])]
    return msgspec.structs.replace(MessagesRequest(model="claude-x", max_tokens=9, messages=messages), **fields)


def lines_of(request: MessagesRequest) -> list[dict[str, Any]]:
    return [json.loads(line) for line in turn_frames(request).splitlines()]


def env_of(request: MessagesRequest) -> dict[str, str]:
    env: dict[str, str] = lines_of(request)[0]["request"]["settings"]["env"]
    return env


def body_of(request: MessagesRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(env_of(request)["CLAUDE_CODE_EXTRA_BODY"])
    return body


def test_a_fresh_process_gets_no_system_prompt() -> None:
    assert json.loads(initialize_frame("r1")) == {
        "type": "control_request",
        "request_id": "r1",
        "request": {"subtype": "initialize", "systemPrompt": [], "hooks": None},
    }


def test_an_interrupt_is_a_control_request() -> None:
    assert json.loads(interrupt_frame())["request"] == {"subtype": "interrupt"}


def test_a_plain_request_is_settings_and_a_turn() -> None:
    settings, turn = lines_of(asking())

    assert settings["request"]["subtype"] == "apply_flag_settings"
    assert settings["request"]["settings"]["model"] == "claude-x"
    assert turn == {
        "type": "user",
        "message": {"role": "user", "content": "Hello"},
        "client_composed": True,
        "parent_tool_use_id": None,
        "session_id": "",
    }


def test_every_variable_is_set_each_time_because_one_left_out_would_keep_its_value() -> None:
    assert env_of(asking(temperature=1.0)).keys() == env_of(asking(tools=[BASH], top_p=0.5)).keys()


def test_the_fields_of_the_request_travel_in_the_extra_body() -> None:
    request = asking(
        tools=[BASH, WebSearchTool("web_search")],
        stop_sequences=["END"],
        temperature=0.5,
        top_k=3,
        thinking=ThinkingConfigAdaptive(),
        output_config=OutputConfig(effort="low", format=JSONOutputFormat(Raw(b'{"type":"object"}'))),
        cache_control=MARK,
    )

    expected = json.loads(msgspec.json.encode(request))
    del expected["model"]
    assert body_of(request) == expected


@pytest.mark.parametrize("field", ["system", "metadata", "betas", "model", "stream"])
def test_what_is_the_clis_own_is_never_overridden(field: str) -> None:
    request = asking(system=[TextBlockParam("Be brief.")], metadata=Metadata("me"), stream=True)

    assert field not in body_of(request)


def test_the_system_prompt_goes_the_clis_own_way_as_one_text() -> None:
    request = asking(system=[TextBlockParam("One."), TextBlockParam("Two.", cache_control=MARK)])

    assert lines_of(request)[1]["request"] == {
        "subtype": "set_model",
        "model": "claude-x",
        "system_prompt": "One.\n\nTwo.",
        "only_if_model_is_current": True,
    }


def test_the_clients_tools_are_registered_and_anthropics_own_are_not() -> None:
    request = asking(tools=[BASH, WebSearchTool("web_search")])

    assert lines_of(request)[1]["request"]["subtype"] == "mcp_set_servers"
    assert tool_names(request) == ("Bash",)
    assert len(lines_of(asking(tools=[WebSearchTool("web_search")]))) == 2


IMAGE = ImageBlockParam(Base64Source("image/png", "AA=="))
RESULT = ToolResultBlockParam("call_1", "3 degrees")


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([MessageParam("user", [TextBlockParam("a"), IMAGE, TextBlockParam("b")])], "a\nb"),
        ([MessageParam("user", [RESULT])], "The results of the tool calls follow."),
        ([MessageParam("user", [RESULT, TextBlockParam("and?")])], "and?"),
        ([MessageParam("user", [IMAGE])], "The content of the message follows."),
        ([MessageParam("user", [TextBlockParam(" \n")])], "The content of the message follows."),
        (
            [MessageParam("user", [TextBlockParam("a")]), MessageParam("assistant", [TextBlockParam("The")])],
            "The conversation so far follows.",
        ),
        ([MessageParam("user", [TextBlockParam("a")]), MessageParam("system", [TextBlockParam("s")])], "a"),
        ([MessageParam("user", [TextBlockParam("x" * 1_000_000)])], "x" * TURN_TEXT_CHARACTERS),
    ],
)
def test_a_turn_is_started_by_the_last_user_text_or_a_neutral_sentence(messages: list[MessageParam], text: str) -> None:
    assert turn_text(asking(messages=messages)) == text


@pytest.mark.parametrize(
    ("marks", "hour", "none"),
    [([MARK], "", ""), ([MARK] * 2, "", ""), ([MARK] * 3, "", "1"), ([CacheControlEphemeral(ttl="1h")], "1", "")],
)
def test_the_clis_own_marks_make_room_for_the_clients(marks: list[CacheControlEphemeral], hour: str, none: str) -> None:
    messages = [MessageParam("user", [TextBlockParam("a", cache_control=mark)]) for mark in marks]
    env = env_of(asking(messages=messages))

    assert (env["ENABLE_PROMPT_CACHING_1H"], env["DISABLE_PROMPT_CACHING"]) == (hour, none)


def test_a_short_mark_on_a_tool_shortens_those_behind_it() -> None:
    marked = ToolParam("f", Raw(b'{"type":"object"}'), cache_control=MARK)
    env = env_of(asking(tools=[marked], cache_control=CacheControlEphemeral(ttl="1h")))

    assert (env["FORCE_PROMPT_CACHING_5M"], env["ENABLE_PROMPT_CACHING_1H"]) == ("1", "")


def test_top_p_alone_does_not_get_a_temperature_beside_it() -> None:
    alone, both = asking(top_p=0.5), asking(temperature=0.5)

    assert env_of(alone)["CLAUDE_CODE_DISABLE_THINKING"] == ""
    assert body_of(alone)["thinking"] == {"type": "disabled"}
    assert env_of(both)["CLAUDE_CODE_DISABLE_THINKING"] == "1"
    assert "thinking" not in body_of(both)
    assert body_of(asking(thinking=ThinkingConfigDisabled()))["thinking"] == {"type": "disabled"}


def question(message: dict[str, object]) -> ControlRequestFrame:
    line = {"type": "control_request", "request_id": "q1", "request": {"subtype": "mcp_message", "message": message}}
    frame = decode_frame(json.dumps(line).encode())
    assert isinstance(frame, ControlRequestFrame)
    return frame


def mcp_result(message: dict[str, object]) -> dict[str, Any]:
    line = mcp_answer(question(message), ("Bash",))
    assert line is not None
    response = json.loads(line)["response"]
    assert (response["subtype"], response["request_id"]) == ("success", "q1")
    answer: dict[str, Any] = response["response"]["mcp_response"]
    return answer


def test_tools_are_listed_by_name_only_their_definitions_travel_in_the_body() -> None:
    assert mcp_result({"method": "tools/list", "id": 7}) == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {"tools": [{"name": "Bash", "inputSchema": {"type": "object"}, "description": ""}]},
    }


def test_the_mcp_handshake_repeats_the_version_that_is_asked_for() -> None:
    result = mcp_result({"method": "initialize", "id": 0, "params": {"protocolVersion": "2025-11-25"}})["result"]

    assert result["protocolVersion"] == "2025-11-25"
    assert result["capabilities"] == {"tools": {}}


def test_a_notification_is_acknowledged() -> None:
    assert mcp_result({"method": "notifications/initialized"})["result"] == {}


def test_whether_a_tool_may_run_is_never_answered() -> None:
    line = b'{"type":"control_request","request_id":"q2","request":{"subtype":"can_use_tool","tool_name":"Bash"}}'
    frame = decode_frame(line)

    assert isinstance(frame, ControlRequestFrame)
    assert mcp_answer(frame, ("Bash",)) is None
