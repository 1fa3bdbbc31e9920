"""Wishes of no dialect: what is wrong with them, and what has no effect, is told by the client's own names."""

from collections.abc import Callable

import pytest
from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError, UnsupportedParameterError
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.conversation import text_blocks
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import facts_for
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.answer_format import FormatWish
from claude_openai_proxy.translate.wishes.assembly import Assembly
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks
from claude_openai_proxy.translate.wishes.end_user import EndUser
from claude_openai_proxy.translate.wishes.thinking import ThinkingWish
from claude_openai_proxy.translate.wishes.tool_choice import ToolChoiceWish
from claude_openai_proxy.translate.wishes.tools import DeclaredTool
from claude_openai_proxy.translate.wishes.wishes import Wishes
from translate.translated import sent

F = DeclaredTool(name="f", parameters=Raw(b'{"type":"object","properties":{}}'), place="tools[0].parameters")


def assembled(
    wishes: Wishes, model: str = "claude-opus-5-5", *, capabilities: Capabilities | None = None, reject: bool = False
) -> Translation:
    assembly = Assembly(wishes, facts_for(model, None), capabilities or Capabilities(), Notes(reject=reject))
    assembly.conversation.ask(text_blocks("Hello"))
    return assembly.translation()


@pytest.mark.parametrize(
    ("wishes", "place"),
    [
        (
            Wishes(tools=[DeclaredTool(name="f", parameters=Raw(b"[1]"), place="tools[0].parameters")]),
            "tools[0].parameters",
        ),
        (Wishes(answer_format=FormatWish(Raw(b"[1]"), place="text.format.schema")), "text.format.schema"),
        (Wishes(tool_choice=ToolChoiceWish("any", place="choice")), "choice"),
        (Wishes(tools=[F], tool_choice=ToolChoiceWish("any", "g", place="choice.name")), "choice.name"),
    ],
)
def test_what_cannot_be_is_refused_by_the_clients_name(wishes: Wishes, place: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        assembled(wishes)
    assert refused.value.param == place


def test_what_has_no_effect_is_told_by_the_clients_name() -> None:
    wishes = Wishes(end_user=EndUser("a@example.org", ("end_user", "safety")))
    keeps_its_own = Capabilities(metadata=False)

    assert assembled(wishes, capabilities=keeps_its_own).ignored == ("end_user", "safety")
    with pytest.raises(UnsupportedParameterError):
        assembled(wishes, capabilities=keeps_its_own, reject=True)


def test_thinking_is_asked_for_in_either_form() -> None:
    by_effort = sent(assembled(Wishes(thinking=ThinkingWish("low", fields=("reasoning.effort",)))))
    by_type = sent(assembled(Wishes(thinking=ThinkingWish(type="adaptive", display="omitted"))))

    assert (by_effort["thinking"], by_effort["output_config"]) == (
        {"type": "adaptive", "display": "summarized"},
        {"effort": "low"},
    )
    assert by_type["thinking"] == {"type": "adaptive", "display": "omitted"}


@pytest.mark.parametrize(
    ("cache", "mark"),
    [
        (CacheMarks, {"type": "ephemeral"}),
        (lambda: CacheMarks(long=True), {"type": "ephemeral", "ttl": "1h"}),
        (lambda: CacheMarks(own_only=True), None),
    ],
)
def test_the_whole_request_is_marked_unless_the_client_marks_it_itself(
    cache: Callable[[], CacheMarks], mark: object
) -> None:
    assert sent(assembled(Wishes(cache=cache()))).get("cache_control") == mark


def test_a_mark_of_the_clients_own_replaces_the_automatic_one() -> None:
    wishes = Wishes()
    assembly = Assembly(wishes, facts_for("claude-opus-5-5", None), Capabilities(), Notes())
    assembly.conversation.ask(text_blocks("Hello", wishes.cache.mark(long=True)))
    request = sent(assembly.translation())

    assert "cache_control" not in request
    assert request["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        }
    ]
