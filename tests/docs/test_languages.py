"""What is there in two languages says the same in both."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from docs.documents import READMES, ROOT, Block, blocks, headings, relative_links

ENGLISH, CHINESE = READMES
PAIRS = [
    READMES,
    *(
        (ROOT / "docs" / f"{name}.md", ROOT / "docs" / f"{name}.zh-CN.md")
        for name in ("clients", "configuration", "troubleshooting")
    ),
    *(
        (path, path.with_suffix(".zh-CN.md"))
        for path in sorted((ROOT / "docs" / "guides").glob("*.md"))
        if not path.name.endswith(".zh-CN.md")
    ),
]
SAID = {"你好！请用一句话介绍你自己。": "Say hello in five words.", "请从一数到十。": "Count from one to ten."}
"""What is asked in the examples, in both languages."""

both = pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda path: path.name)


def in_english(block: Block) -> Block:
    code = block.code
    for chinese, english in SAID.items():
        code = code.replace(chinese, english)
    return Block(block.language, code)


def text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def prose(document: Path) -> str:
    return re.sub(r"^```.*?^```$", "", text(document), flags=re.MULTILINE | re.DOTALL)


@both
def test_both_have_the_same_code_blocks(english: Path, chinese: Path) -> None:
    assert [in_english(block) for block in blocks(chinese)] == blocks(english)


@both
def test_both_have_the_same_structure_of_headings(english: Path, chinese: Path) -> None:
    assert [heading.level for heading in headings(chinese)] == [heading.level for heading in headings(english)]


@both
def test_both_link_to_the_same_documents_each_in_its_language(english: Path, chinese: Path) -> None:
    def files(document: Path) -> list[str]:
        links = (link.partition("#")[0] for link in relative_links(document) if not link.startswith("#"))
        return sorted(link.replace(".zh-CN.md", ".md") for link in links)

    assert sorted({*files(chinese), english.name}) == sorted({*files(english), english.name})


@both
def test_each_links_to_the_other_at_its_top(english: Path, chinese: Path) -> None:
    assert f"[中文]({chinese.name})" in text(english).splitlines()[2]
    assert f"[English]({english.name})" in text(chinese).splitlines()[2]


@both
def test_both_name_the_same_things(english: Path, chinese: Path) -> None:
    def names(document: Path) -> set[str]:
        return set(re.findall(r"`([^`\n]+)`", prose(document)))

    assert names(chinese) == names(english)


@both
def test_a_chinese_paragraph_is_one_line(english: Path, chinese: Path) -> None:
    del english
    structured = re.compile(r"#|\||- |\d+\. |$")
    broken = [
        line
        for before, line in pairwise(prose(chinese).splitlines())
        if before.strip() and not structured.match(line) and not before.startswith("#")
    ]
    assert broken == []


@pytest.mark.parametrize("chinese", [pair[1] for pair in PAIRS], ids=lambda path: path.name)
def test_a_link_to_what_is_english_only_says_so(chinese: Path) -> None:
    for link in re.finditer(r"\]\((?P<file>[\w./-]+\.md)(#[\w-]+)?\)(?P<mark>（英文）)?", text(chinese)):
        target = (chinese.parent / link["file"]).resolve()
        other = target.with_suffix(".zh-CN.md")
        if not target.name.endswith(".zh-CN.md") and text(chinese).find(link[0]) > 200:
            assert not other.exists(), f"{link['file']} exists in Chinese"
            assert link["mark"], link[0]
