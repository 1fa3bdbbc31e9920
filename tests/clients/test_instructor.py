"""instructor: typed answers by tools and by JSON, mended when its own validation refuses them."""

import json
from pathlib import Path

from claude_openai_proxy.simulator import Script
from clients.installed import older_python
from clients.proxies import MODEL, Proxy
from clients.running import PROGRAMS, run_for_json

ADA: dict[str, object] = {"name": "ADA LOVELACE", "age": 36, "nickname": None}
SMALL: dict[str, object] = {**ADA, "name": "Ada Lovelace"}


def ask(proxy: Proxy, home: Path, *scenarios: str) -> object:
    python = older_python("instructor", "instructor")
    return run_for_json(
        [python, PROGRAMS / "instructor_client.py", *scenarios],
        home,
        OPENAI_BASE_URL=proxy.base_url,
        OPENAI_API_KEY="any value",
        MODEL=MODEL,
    )


def test_in_each_mode_a_refused_answer_is_sent_back_and_mended(proxy: Proxy, tmp_path: Path) -> None:
    proxy.play(Script.tool_calls([("Person", SMALL)]), Script.tool_calls([("Person", ADA)]))
    proxy.play(*[Script.text(json.dumps(person)) for person in (SMALL, ADA, SMALL, ADA)])
    assert ask(proxy, tmp_path, "tools", "json", "json_schema") == {"tools": ADA, "json": ADA, "json_schema": ADA}
    told = ["must be in capitals" in json.dumps(asked["messages"]) for asked in proxy.asked()]
    assert told == [False, True] * 3


def test_one_object_grows_and_many_come_while_they_stream(proxy: Proxy, tmp_path: Path) -> None:
    many = [ADA, {**ADA, "name": "ALAN"}]
    proxy.play(Script.tool_calls([("Person", ADA)]), Script.tool_calls([("IterablePerson", {"tasks": [*many]})]))
    assert ask(proxy, tmp_path, "partial", "many") == {"partial": ADA, "many": many}
