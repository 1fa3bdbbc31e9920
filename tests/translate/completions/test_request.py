"""What each field of a legacy completion becomes."""

import msgspec
import pytest

from claude_openai_proxy.errors import InvalidRequestError, UnsupportedParameterError
from claude_openai_proxy.protocols.anthropic import CacheControlEphemeral, TextBlockParam, ThinkingConfigDisabled
from claude_openai_proxy.protocols.openai_completions import CompletionRequest
from claude_openai_proxy.translate.completions.request import to_messages_requests
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.instructions import COMPLETE, INSERT
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import facts_for

OLD, NEW, ALWAYS_THINKING = "claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5-5"

MARK = CacheControlEphemeral()


def translate(model: str = NEW, *, reject: bool = False, unknown: tuple[str, ...] = (), **fields: object) -> list[Translation]:  # fmt: skip  # noqa: E501
    request = msgspec.convert({"prompt": "Once upon", **fields}, CompletionRequest)
    return to_messages_requests(
        request,
        facts=facts_for(model, None),
        capabilities=Capabilities(),
        unknown=unknown,
        reject_unsupported=reject,
    )


def only(*args: str, **fields: object) -> Translation:
    (translation,) = translate(*args, **fields)  # type: ignore[arg-type]
    return translation


def test_the_prompt_is_the_users_turn_and_a_sentence_says_what_to_do() -> None:
    request = only().request
    assert request.system == [TextBlockParam(COMPLETE, MARK)]
    assert [(turn.role, turn.content) for turn in request.messages] == [("user", [TextBlockParam("Once upon")])]


def test_each_prompt_is_a_request_of_its_own() -> None:
    requests = [translation.request for translation in translate(prompt=["a", "b"])]
    assert [request.messages[0].content for request in requests] == [[TextBlockParam("a")], [TextBlockParam("b")]]


@pytest.mark.parametrize(
    "prompt",
    [None, [], [1, 2], [[1, 2], [3]], ["a", 1], ["a", [1]]],
    ids=["null", "none", "ids", "lists", "both", "mixed"],
)
def test_a_prompt_that_is_no_text_is_refused(prompt: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        translate(prompt=prompt)
    assert caught.value.param == "prompt"


def test_too_many_texts_are_refused() -> None:
    assert len(translate(prompt=["a"] * 64, n=2)) == 64
    with pytest.raises(InvalidRequestError, match="128"):
        translate(prompt=["a"] * 65, n=2)


def test_the_default_limit_is_the_apis() -> None:
    assert only().request.max_tokens == 16
    assert only(max_tokens=300).request.max_tokens == 300
    with pytest.raises(InvalidRequestError) as caught:
        translate(max_tokens=0)
    assert caught.value.param == "max_tokens"


def test_claude_does_not_think_over_a_text_where_it_can_be_kept_from_it() -> None:
    assert only(OLD, max_tokens=9000).request.thinking is msgspec.UNSET
    assert only(NEW, max_tokens=9000).request.thinking == ThinkingConfigDisabled()
    kept = only(ALWAYS_THINKING)
    assert kept.request.thinking is msgspec.UNSET
    assert kept.request.output_config is not msgspec.UNSET
    assert kept.request.output_config.effort == "low"
    assert kept.repairs == ("thinking_kept_at_lowest_effort",)


def test_sampling_and_stops_are_the_models() -> None:
    request = only(OLD, temperature=0.3, stop=["END", "\n"], user="me").request
    assert (request.temperature, request.stop_sequences) == (0.3, ["END"])
    assert only(OLD, stop=["END", "\n"]).plan.stop_texts == ("\n",)
    assert only(OLD, stop="END").request.stop_sequences == ["END"]
    assert only(NEW, temperature=0.3).ignored == ("temperature",)
    assert request.metadata is not msgspec.UNSET


def test_a_suffix_is_text_after_a_gap() -> None:
    request = only(suffix=" the end.").request
    assert request.system == [TextBlockParam(INSERT, MARK)]
    assert request.messages[0].content == [TextBlockParam("<before>Once upon</before><after> the end.</after>")]
    assert only(suffix="").request.system == [TextBlockParam(COMPLETE, MARK)]


def test_token_probabilities_are_refused() -> None:
    for value in (1, 5, True):
        with pytest.raises(UnsupportedParameterError) as caught:
            translate(logprobs=value)
        assert caught.value.param == "logprobs"
    for nothing in (0, None, False):
        assert only(logprobs=nothing).ignored == ()


def test_what_means_nothing_is_told_of() -> None:
    fields = {"frequency_penalty": 0.5, "presence_penalty": 1, "logit_bias": {"1": 2}, "seed": 0}
    request = msgspec.json.decode(msgspec.json.encode({"prompt": "x", **fields}), type=CompletionRequest)
    (translation,) = to_messages_requests(
        request, facts=facts_for(NEW, None), capabilities=Capabilities(), unknown=("top_k",)
    )
    assert translation.ignored == ("frequency_penalty", "presence_penalty", "logit_bias", "seed", "top_k")
    with pytest.raises(UnsupportedParameterError, match="frequency_penalty"):
        to_messages_requests(request, facts=facts_for(NEW, None), capabilities=Capabilities(), reject_unsupported=True)
    assert only(stream_options={"include_obfuscation": True}).ignored == ("stream_options.include_obfuscation",)


def test_best_of_counts_only_as_far_as_n() -> None:
    assert only(best_of=1).ignored == ()
    assert only(best_of=2, n=2).ignored == ()
    assert only(best_of=3).ignored == ("best_of",)
    with pytest.raises(InvalidRequestError) as caught:
        translate(best_of=1, n=2)
    assert caught.value.param == "best_of"
