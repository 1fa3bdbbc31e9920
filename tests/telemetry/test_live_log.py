"""Who looks on at requests gets the lines that he wants, holds nobody up, and takes no more than his share."""

import json

import pytest

from claude_openai_proxy.errors import QueueFullError
from claude_openai_proxy.records import Principal, RequestRecord
from claude_openai_proxy.telemetry.live_log import MOST_LISTENERS, MOST_RECENT, MOST_UNREAD, Line, LiveLog, Wanted
from telemetry.test_log_lines import NOW, a_record

ANN = Principal("ann", "key_1")


def log() -> LiveLog:
    return LiveLog(wall_clock=lambda: NOW, blot=lambda text: text.replace("sk-ant-secret", "***"))


def plain(**changes: object) -> RequestRecord:
    return a_record(ignored=(), **changes)


def ids(lines: list[Line]) -> list[str]:
    return [entry.request_id for _, _, entry in lines]


async def test_a_line_says_what_the_log_says() -> None:
    live = log()
    live.ended(a_record(client="sk-ant-secret"))
    told = json.loads(live.text(live.recent(Wanted())[0]))
    assert (told["time"], told["level"], told["event"]) == ("2027-01-15T08:00:00.250Z", "info", "request")
    assert (told["request_id"], told["status"], told["ignored"], told["client"]) == ("req-1", 200, ["seed"], "***")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ["1", "2", "3", "4"]),
        (Wanted(key="ann"), ["2"]),
        (Wanted(client="openwebui"), ["3"]),
        (Wanted(status="429"), ["3"]),
        (Wanted(status="4xx"), ["3"]),
        (Wanted(status="5xx"), []),
        (Wanted(status="error"), ["3", "4"]),
        (Wanted(key="ann", status="429"), []),
    ],
)
async def test_lines_are_chosen_by_key_client_and_status(wanted: Wanted, expected: list[str]) -> None:
    live = log()
    with live.listening(wanted) as listener:
        live.ended(plain(id="1"))
        live.ended(plain(id="2", principal=ANN))
        live.ended(plain(id="3", client="OpenWebUI/0.9", status=429, error="UpstreamStatusError"))
        live.ended(plain(id="4", error="UpstreamConnectionError"))
        listener.end()
        lines, left_out = await listener.news()
    assert (ids(lines), left_out) == (expected, 0)
    assert ids(live.recent(wanted)) == expected


async def test_who_does_not_keep_up_is_told_how_much_is_missing() -> None:
    live = log()
    with live.listening(Wanted()) as slow, live.listening(Wanted()) as quick:
        for number in range(MOST_UNREAD + 3):
            live.ended(plain(id=str(number)))
            if number == 0:
                assert ids((await quick.news())[0]) == ["0"]
        lines, left_out = await slow.news()
        assert (ids(lines), left_out) == ([str(number) for number in range(MOST_UNREAD)], 3)
        live.ended(plain(id="next"))
        assert ids((await slow.news())[0]) == ["next"]


async def test_the_end_is_told_to_who_waits() -> None:
    live = log()
    with live.listening(Wanted()) as listener:
        live.ended(plain(id="last"))
        listener.end()
        assert ids((await listener.news())[0]) == ["last"]
        assert listener.ended
        assert await listener.news() == ([], 0)


async def test_listeners_and_remembered_lines_are_bounded() -> None:
    live = log()
    listening = [live.listening(Wanted()) for _ in range(MOST_LISTENERS + 1)]
    for one in listening[:-1]:
        one.__enter__()
    with pytest.raises(QueueFullError, match="10 look at the log already"):
        listening[-1].__enter__()
    listening[0].__exit__(None, None, None)
    with live.listening(Wanted()):
        pass
    for number in range(MOST_RECENT + 5):
        live.ended(plain(id=str(number)))
    assert ids(live.recent(Wanted())) == [str(number) for number in range(5, MOST_RECENT + 5)]


async def test_the_last_error_is_neither_a_strangers_nor_one_of_a_client_that_left() -> None:
    live = log()
    live.ended(plain(id="1", status=502, error="UpstreamProtocolError"))
    live.ended(plain(id="2", status=401, error="ClientRefusedError", principal=Principal("anonymous", "anonymous")))
    live.ended(plain(id="3", status=499, error="ClientLeftError"))
    live.ended(plain(id="4"))
    assert live.last_error is not None
    assert live.last_error[2].request_id == "1"
