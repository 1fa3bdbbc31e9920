"""The messages that docs/troubleshooting.md explains are those that the proxy says."""

import re
from pathlib import Path

import pytest

from claude_openai_proxy import doctor
from docs.documents import ROOT

PACKAGE = Path(doctor.__file__).parents[1]
OF_CLAUDE = {"invalid x-api-key"}


def quoted_messages() -> list[str]:
    """Code in the first column of a table that has a blank or a dot in it; `…` stands for what varies."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    first_column = re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
    return [message for message in first_column if " " in message and message not in OF_CLAUDE]


def source() -> str:
    """All source, with messages that are broken over lines put together again."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py")))
    return re.sub(r"\"\s*\n\s*f?\"", "", text)


@pytest.mark.parametrize("message", quoted_messages())
def test_every_message_that_is_explained_is_one_of_the_proxy(message: str) -> None:
    said = source()
    constant = [part.strip() for part in re.split(r"…|\b3000\b|\b5 s\b", message)]

    assert [part for part in constant if part not in said] == []
