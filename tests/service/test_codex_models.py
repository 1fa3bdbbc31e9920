"""The catalogue that Codex reads, made of the list that everybody reads."""

from claude_openai_proxy.protocols.openai_chat_response import Model
from claude_openai_proxy.service.codex_models import INSTRUCTIONS, codex_models
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.translate.models.facts import BUILT_IN
from service.fake_upstream import FakeChoice, FakeUpstream

LUNA = Model(
    id="claude-luna-1",
    created=1,
    owned_by="anthropic",
    display_name="Claude Luna 1",
    context_window=300_000,
    reasoning_efforts=["low", "medium", "max"],
    supports_images=True,
)


def test_an_entry_says_what_the_row_says() -> None:
    (entry,) = codex_models([LUNA])
    assert (entry.slug, entry.display_name, entry.description) == (
        "claude-luna-1", "Claude Luna 1", "Claude Luna 1, by Anthropic",
    )  # fmt: skip
    assert [level.effort for level in entry.supported_reasoning_levels] == ["low", "medium", "max"]
    assert (entry.context_window, entry.max_context_window) == (300_000, 300_000)
    assert entry.input_modalities == ["text", "image"]
    assert entry.base_instructions == INSTRUCTIONS
    assert entry.apply_patch_tool_type == "freeform"


def test_an_alias_goes_by_its_own_name_and_says_whose_it_is() -> None:
    alias = Model(
        id="daily", created=1, owned_by="anthropic", resolves_to="claude-luna-1", display_name="Claude Luna 1"
    )
    (entry,) = codex_models([alias])
    assert (entry.slug, entry.display_name, entry.description) == ("daily", "daily", "Claude Luna 1, by the name daily")


def test_what_a_gateways_row_does_not_say_is_not_claimed() -> None:
    (entry,) = codex_models([Model(id="unheard-of", created=0, owned_by="anthropic")])
    assert (entry.context_window, entry.max_context_window) == (None, None)
    assert entry.supported_reasoning_levels == []
    assert entry.default_reasoning_level is None
    assert entry.input_modalities == ["text"]


async def test_every_model_has_an_entry_in_the_lists_order_and_with_its_efforts() -> None:
    choice = FakeChoice(FakeUpstream(models=None))
    catalog = ModelCatalog(current=choice.current, names=ModelNames(aliases={"big": "opus"}), clock=lambda: 0.0)
    rows = await catalog.list()
    entries = codex_models(rows)
    assert [entry.slug for entry in entries] == [row.id for row in rows]
    assert [entry.priority for entry in entries] == list(range(1, len(rows) + 1))
    known = {facts.id: facts.efforts for facts in BUILT_IN}
    for entry in entries[1:]:
        assert tuple(level.effort for level in entry.supported_reasoning_levels) == known[entry.slug]
