"""What must be the same both ways, apart from what is documented."""

from collections.abc import Sequence

from parity.compare import differences
from parity.documented import undocumented
from parity.sides import JSONObject, Outcome

CLI_BLOCKS = 2
"""Claude Code says in so many blocks of `system` who is calling."""


def assert_same_requests(api: Outcome, claude_code: Outcome) -> None:
    """As many requests, all of them taken, and the same in each."""
    assert [*api.refused_for, *claude_code.refused_for] == [""] * (2 * len(api.sent))
    for ours, theirs in zip(api.sent, claude_code.sent, strict=True):
        assert undocumented(differences(ours, theirs), "Requests") == []
        assert _texts(theirs)[CLI_BLOCKS:] == (["\n\n".join(_texts(ours))] if _texts(ours) else [])


def assert_same_answer(api: Outcome, claude_code: Outcome) -> None:
    """Status, headers, and the answer chunk by chunk."""
    assert (claude_code.status, claude_code.complete) == (api.status, api.complete)
    assert undocumented(differences(api.headers, claude_code.headers), "Headers") == []
    assert_same_chunks(api.answer, claude_code.answer)


def assert_same_chunks(api: Sequence[JSONObject], claude_code: Sequence[JSONObject]) -> None:
    """As many, and the same in each."""
    for ours, theirs in zip(api, claude_code, strict=True):
        assert undocumented(differences(ours, theirs), "Answers") == []


def assert_same_when_put_together(api: Outcome, claude_code: Outcome) -> None:
    """For answers whose choices arrive in any order."""
    assert (claude_code.status, claude_code.complete) == (api.status, api.complete)
    assert undocumented(differences(api.put_together(), claude_code.put_together()), "Answers") == []


def _texts(request: JSONObject) -> list[str]:
    system = request.get("system", [])
    assert isinstance(system, list)
    return [str(block["text"]) for block in system]
