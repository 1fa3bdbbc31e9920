from msgspec import UNSET

from claude_openai_proxy.translate.wishes.service_tier import to_claude_tier, to_openai_tier


def test_the_tier_that_answered_has_openais_name() -> None:
    assert to_openai_tier("standard") == "default"
    assert to_openai_tier("priority") == "priority"
    assert to_openai_tier(None) is None
    assert to_openai_tier("galactic") is None


def test_the_tier_that_is_asked_for_has_claudes_name() -> None:
    assert to_claude_tier(None) is UNSET
    assert [to_claude_tier(name) for name in ("default", "flex")] == ["standard_only"] * 2
    assert [to_claude_tier(name) for name in ("auto", "priority", "scale")] == ["auto"] * 3
