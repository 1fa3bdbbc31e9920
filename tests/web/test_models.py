"""One list for two readers: OpenAI's clients, and Codex, which asks with its version."""

import json

import pytest

from web.direct import call
from web.wired import Wired

ROW = {
    "id": "custom-claude-4-opus",
    "object": "model",
    "created": 1,
    "owned_by": "anthropic",
    "resolves_to": "claude-test-1",
}


@pytest.mark.parametrize("query", ["client_version=0.171.0", "x=1&client_version=9"])
async def test_codex_finds_its_catalogue_beside_the_list(query: str) -> None:
    answer = await call(Wired().app(), "GET", f"/v1/models?{query}")
    told = json.loads(answer.body)
    assert (answer.status, told["object"], told["data"]) == (200, "list", [ROW])
    (entry,) = told["models"]
    assert (entry["slug"], entry["visibility"], entry["shell_type"]) == (ROW["id"], "list", "unified_exec")
    assert entry["upgrade"] is None


@pytest.mark.parametrize("query", ["", "?", "?limit=3", "?other=client_version"])
async def test_others_find_the_list_alone(query: str) -> None:
    answer = await call(Wired().app(), "GET", f"/v1/models{query}")
    assert json.loads(answer.body) == {"object": "list", "data": [ROW]}
