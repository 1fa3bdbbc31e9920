"""The two READMEs say the same."""

import re

from docs.documents import READMES, blocks, headings, relative_links

ENGLISH, CHINESE = READMES


def test_both_have_the_same_code_blocks() -> None:
    assert blocks(CHINESE) == blocks(ENGLISH)


def test_both_have_the_same_structure_of_headings() -> None:
    assert [heading.level for heading in headings(CHINESE)] == [heading.level for heading in headings(ENGLISH)]


def test_both_link_to_the_same_documents() -> None:
    def files(links: list[str]) -> list[str]:
        return sorted(link for link in links if not link.startswith("#") and "README" not in link)

    assert files(list(relative_links(CHINESE))) == files(list(relative_links(ENGLISH)))


def test_each_links_to_the_other_at_its_top() -> None:
    assert "README.zh-CN.md" in ENGLISH.read_text(encoding="utf-8").splitlines()[2]
    assert "README.md" in CHINESE.read_text(encoding="utf-8").splitlines()[2]


def test_both_name_the_same_things() -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"`([^`\n]+)`", text))

    english, chinese = (readme.read_text(encoding="utf-8") for readme in READMES)

    assert names(chinese) == names(english)
