"""What every request goes through knows no dialect: one that nobody has is admitted, fanned out and recorded."""

import pytest

from claude_openai_proxy.errors import PlanSpentError, UpstreamStatusError
from claude_openai_proxy.records import LOCAL, RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.storage.login_limits import MemoryLoginLimits
from service.fake_upstream import FakeChoice, FakeUpstream, call, message, text
from translate.second_dialect import LineStream, read


async def said(
    upstream: FakeUpstream,
    record: RequestRecord,
    *,
    times: int = 1,
    noted: list[object] | None = None,
    guard: SpendGuard | None = None,
) -> list[str]:
    choice = FakeChoice(upstream)
    catalog = ModelCatalog(current=choice.current, names=ModelNames(aliases={"any": "opus"}), clock=lambda: 0.0)
    places = Places(clock=lambda: 0.0)
    admissions = Admissions(
        upstreams=choice,
        catalog=catalog,
        places=places,
        clock=lambda: 5.0,
        guard=guard,
        note_limits=lambda *told: (noted if noted is not None else []).append(told),
    )
    async with admissions.admit(record, model="any", stream=True) as admission:
        translation = read(b'{"say": "Hello"}', admission.model.facts, admission.upstream.capabilities)
        translators = [LineStream(translation.plan) for _ in range(times)]
        return [piece async for pieces in await admission.ask(translation, translators) for piece in pieces]


def a_record() -> RequestRecord:
    return RequestRecord("r1", LOCAL, "POST", "/say", 0.0)


async def test_it_is_answered_and_recorded() -> None:
    record = a_record()
    events = message(text("Let me look."), call("look_up", '{"word":"x"}', index=1), stop_reason="tool_use")
    lines = await said(FakeUpstream([events]), record)
    assert lines == ["+ Let me look.", "call look up", '+ {"word":"x"}', "end tool_use"]
    assert (record.model_used, record.finish_reason, record.admitted) == ("claude-opus-5-5", "tool_use", 5.0)
    assert (record.input_tokens, record.output_tokens, record.upstream_request_id) == (10, 7, "req_1")


async def test_it_is_asked_several_times_at_once() -> None:
    record = a_record()
    lines = await said(FakeUpstream([message(text("a"))], [message(text("b"))]), record, times=2)
    assert sorted(lines) == ["+ a", "+ b", "end end_turn", "end end_turn"]
    assert (record.input_tokens, record.output_tokens) == (20, 14)


async def test_what_upstream_tried_again_is_recorded_when_it_was_in_vain() -> None:
    record = a_record()
    upstream = FakeUpstream([UpstreamStatusError("Overloaded", status=529, rate_limits=(("a", "b"),))])
    upstream.tried = ["retried_5xx"]
    noted: list[object] = []
    with pytest.raises(UpstreamStatusError):
        await said(upstream, record, noted=noted)
    assert noted == [("fake", "", (("a", "b"),))]
    assert (record.repairs, record.rate_limits, record.output_tokens) == (["retried_5xx"], (("a", "b"),), 0)


def a_meter() -> PlanMeter:
    return PlanMeter(store=MemoryLoginLimits(), wall_clock=lambda: 1_000.0)


async def test_with_plan_only_a_spent_plan_is_asked_nothing() -> None:
    record, upstream, meter = a_record(), FakeUpstream([message(text("a"))]), a_meter()
    upstream.payer = "plan"
    guard = SpendGuard(meter=meter, wall_clock=lambda: 1_000.0, plan_only=True)
    assert await said(upstream, record, guard=guard)
    assert record.billed == "plan"

    unified = "anthropic-ratelimit-unified"
    meter.note("fake", "account", ((f"{unified}-status", "rejected"), (f"{unified}-reset", "4600")))
    with pytest.raises(PlanSpentError, match="resets in 1 h 0 min"):
        await said(upstream, a_record(), guard=guard)
    assert len(upstream.requests) == 1


async def test_what_is_billed_apart_is_told_as_such() -> None:
    record, upstream, meter = a_record(), FakeUpstream([message(text("a"))]), a_meter()
    upstream.payer = "plan"
    unified = "anthropic-ratelimit-unified"
    meter.note(
        "fake",
        "account",
        ((f"{unified}-status", "allowed"), (f"{unified}-reset", "4600"), (f"{unified}-overage-in-use", "true")),
    )
    await said(upstream, record, guard=SpendGuard(meter=meter, wall_clock=lambda: 1_000.0))
    assert record.billed == "extra-usage"
