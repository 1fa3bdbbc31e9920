"""The proxy's log is searched for a request of the client's: after a moment, not one of ours, best one first."""

import json
from collections.abc import Callable, Iterable, Sequence

import pytest

from claude_openai_proxy.setup.request_log import LOOK_AGAIN_SECONDS, RequestLog, SeenRequest
from claude_openai_proxy.setup.running_proxy import NotReadyError

SINCE = 1_795_831_200.0  # 2026-11-28T02:00:00Z


def line(second: int, client: str = "cli/1", status: int = 200, model: str = "m") -> str:
    told = {"time": f"2026-11-28T02:00:{second:02}.000Z", "level": "info", "status": status, "client": client}
    return json.dumps(told | ({"model": model} if model else {}))


def log(lines: Callable[[], Iterable[str]]) -> tuple[RequestLog, list[float]]:
    """And how long it slept, which is all that moves its clock."""
    slept: list[float] = []
    return RequestLog(lines, wall_clock=lambda: SINCE + sum(slept), sleep=slept.append), slept


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ([], None),
        ([line(1, "claude-openai-proxy-setup/kilo")], None),
        ([line(1, model="")], None),
        ([line(1)], SeenRequest("cli/1", 200)),
        ([line(0)], SeenRequest("cli/1", 200)),
        ([line(1, "a", 401)], SeenRequest("a", 401)),
        ([line(1, "a", 500), line(2, "b")], SeenRequest("b", 200)),
    ],
)
def test_what_counts(lines: Sequence[str], seen: SeenRequest | None) -> None:
    assert log(lambda: lines)[0].first_since(SINCE, seconds=0) == seen


def test_what_ended_before_does_not_count() -> None:
    assert log(lambda: [line(1)])[0].first_since(SINCE + 2, seconds=0) is None


def test_it_is_waited_for_and_so_is_a_better_one() -> None:
    answers = iter([[], [line(1, "a", 500)], [line(1, "a", 500), line(2, "b")]])
    found, slept = log(lambda: next(answers))
    assert found.first_since(SINCE, seconds=60) == SeenRequest("b", 200)
    assert slept == [LOOK_AGAIN_SECONDS, LOOK_AGAIN_SECONDS]


def test_what_is_not_shown_is_said() -> None:
    def closed() -> Iterable[str]:
        raise NotReadyError("no")

    with pytest.raises(NotReadyError):
        log(closed)[0].first_since(SINCE, seconds=60)
