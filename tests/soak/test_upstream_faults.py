"""The small form of `python -m soak.upstream_faults`: every kind once, streamed and not."""

from pathlib import Path

from soak.upstream_answers import ANSWERS, FAILURES
from soak.upstream_faults import drawn, soak


async def test_no_broken_answer_looks_whole_and_no_whole_one_broken(tmp_path: Path) -> None:
    requests = drawn(2 * (len(ANSWERS) + len(FAILURES)), seed=7)
    assert await soak(requests, tmp_path) == []
