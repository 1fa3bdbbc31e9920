"""What becomes of a tool beside its schema."""

import pytest
from msgspec import Raw

from translate.shape import function
from translate.translated import translate


def descriptions(*names: str) -> list[tuple[str, object]]:
    tools = translate({"tools": [function(name, description="Does it.") for name in names]}).request.tools
    assert isinstance(tools, list)
    return [(tool.name, getattr(tool, "description", None)) for tool in tools if not isinstance(tool, Raw)]


@pytest.mark.parametrize("name", ["get_weather", "fs.read", "a b"])
def test_a_name_that_its_alias_shows_is_not_told(name: str) -> None:
    assert [text for _, text in descriptions(name)] == ["Does it."]


def test_a_name_that_its_alias_does_not_show_is_in_the_description() -> None:
    assert descriptions("查询天气", "发送邮件", "a.b", "a_b") == [
        ("_", "The user knows this tool as '查询天气'.\n\nDoes it."),
        ("__2", "The user knows this tool as '发送邮件'.\n\nDoes it."),
        ("a_b_2", "The user knows this tool as 'a.b'.\n\nDoes it."),
        ("a_b", "Does it."),
    ]


def test_a_name_is_told_where_there_is_no_description() -> None:
    (tool,) = translate({"tools": [function("天气")]}).request.tools or []
    assert getattr(tool, "description", None) == "The user knows this tool as '天气'."
