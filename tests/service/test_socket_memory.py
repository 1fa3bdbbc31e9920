"""What one socket remembers."""

from msgspec import Raw

from claude_openai_proxy.service.socket_memory import MOST_BYTES, MOST_RESPONSES, SocketMemory


def test_the_oldest_are_forgotten_first() -> None:
    memory = SocketMemory()
    for number in range(MOST_RESPONSES + 1):
        memory.keep(f"resp_{number}", [Raw(b"{}")])
    assert memory.items("resp_0") is None
    assert memory.items("resp_1") == [Raw(b"{}")]
    memory.keep("resp_large", [Raw(b"x" * MOST_BYTES)])
    assert memory.items("resp_1") is None
    assert memory.items("resp_large") is not None
    memory.keep("resp_larger", [Raw(b"x" * (MOST_BYTES + 1))])
    assert memory.items("resp_larger") is None


def test_what_is_forgotten_gives_its_room_back() -> None:
    memory = SocketMemory()
    memory.keep("resp_1", [Raw(b"x" * MOST_BYTES)])
    memory.forget("resp_1")
    memory.forget("resp_1")
    memory.keep("resp_2", [Raw(b"x" * MOST_BYTES)])
    assert memory.items("resp_2") is not None


def test_a_response_that_comes_again_counts_once() -> None:
    memory = SocketMemory()
    for _ in range(3):
        memory.keep("resp_1", [Raw(b"x" * (MOST_BYTES // 2))])
    assert memory.items("resp_1") is not None
