from claude_openai_proxy.translate.messages_api.forced_tool import ForcedToolGate
from translate.message_events import ended, message, start, text, tool_use, web_search


def test_nothing_passes_until_a_call_starts_and_then_all_of_it() -> None:
    gate = ForcedToolGate()
    before = [start(), *text(0, "Let me see.")]
    call = tool_use(1, "toolu_1", "f", "{}")

    assert (gate.feed(before), gate.called) == ([], False)
    assert (gate.feed(call[:1]), gate.called) == ([*before, call[0]], True)
    assert gate.feed(call[1:]) == call[1:]
    assert gate.feed(ended("tool_use")) == ended("tool_use")
    assert gate.end() == []


def test_a_call_and_what_follows_in_one_batch_pass_together() -> None:
    events = message(text(0, "So"), tool_use(1, "toolu_1", "f", "{}"), stop_reason="tool_use")

    assert ForcedToolGate().feed(events) == events


def test_an_answer_without_a_call_is_handed_over_at_the_end() -> None:
    gate = ForcedToolGate()
    events = message(text(0, "I would rather not."))

    assert gate.feed(events) == []
    assert not gate.called
    assert gate.end() == events


def test_a_tool_that_runs_on_anthropics_side_is_not_the_call_that_was_asked_for() -> None:
    gate = ForcedToolGate()

    assert gate.feed(message(web_search(0), text(2, "It rains."))) == []
    assert not gate.called
