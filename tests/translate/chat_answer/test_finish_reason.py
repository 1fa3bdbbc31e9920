import pytest

from claude_openai_proxy.translate.chat_answer.finish_reason import to_finish_reason


@pytest.mark.parametrize(
    ("stop_reason", "without_calls", "with_calls"),
    [
        ("end_turn", "stop", "tool_calls"),
        ("stop_sequence", "stop", "tool_calls"),
        ("tool_use", "stop", "tool_calls"),
        ("max_tokens", "length", "length"),
        ("model_context_window_exceeded", "length", "length"),
        ("refusal", "content_filter", "content_filter"),
        ("pause_turn", "length", "tool_calls"),
        ("a_reason_of_the_future", "stop", "tool_calls"),
    ],
)
def test_stop_reasons_have_openais_names_and_agree_with_the_calls(
    stop_reason: str, without_calls: str, with_calls: str
) -> None:
    assert to_finish_reason(stop_reason, calls=False) == without_calls
    assert to_finish_reason(stop_reason, calls=True) == with_calls


def test_a_legacy_call_ends_with_function_call() -> None:
    assert to_finish_reason("tool_use", calls=True, legacy=True) == "function_call"
    assert to_finish_reason("tool_use", calls=False, legacy=True) == "stop"


def test_a_refusal_of_structured_output_ends_as_stop_so_that_the_sdk_can_hand_it_over() -> None:
    assert to_finish_reason("refusal", calls=False, structured=True) == "stop"
    assert to_finish_reason("refusal", calls=True, structured=True) == "content_filter"
