"""What requests of a batch share is marked once for all of them, and nothing else is."""

import json
from typing import Any

from claude_openai_proxy.translate.messages_api.shared_prefix import SHARERS, with_shared_prefixes

HOUR: dict[str, Any] = {"type": "ephemeral", "ttl": "1h"}
TOOLS: list[dict[str, Any]] = [{"name": "a", "input_schema": {}}, {"name": "b", "input_schema": {}}]
SYSTEM: list[dict[str, Any]] = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]


def marked(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    bodies = [json.dumps({"model": "m", "messages": [number]} | one).encode() for number, one in enumerate(requests)]
    return [json.loads(body) for body in with_shared_prefixes(bodies)]


def test_the_end_of_the_system_prompt_is_marked_where_enough_share_it() -> None:
    for request in marked(*[{"system": SYSTEM, "tools": TOOLS}] * SHARERS):
        assert request["system"] == [SYSTEM[0], SYSTEM[1] | {"cache_control": HOUR}]
        assert request["tools"] == TOOLS


def test_without_one_the_end_of_the_tools_is() -> None:
    for request in marked(*[{"tools": TOOLS}] * SHARERS):
        assert request["tools"] == [TOOLS[0], TOOLS[1] | {"cache_control": HOUR}]


def test_too_few_lone_ones_and_bare_ones_stay_as_they_are() -> None:
    few: list[dict[str, Any]] = [{"system": SYSTEM}] * (SHARERS - 1)
    others: list[dict[str, Any]] = [{"system": SYSTEM, "model": "n"}, {"system": SYSTEM[:1]}, {}, {}, {}, {}]
    asked = [*few, *others]
    assert marked(*asked) == [{"model": "m", "messages": [number]} | one for number, one in enumerate(asked)]


def test_a_clients_marks_are_left_alone() -> None:
    own = {"system": [SYSTEM[0] | {"cache_control": {"type": "ephemeral"}}]}
    assert [request["system"] for request in marked(*[own] * SHARERS)] == [own["system"]] * SHARERS
