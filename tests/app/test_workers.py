"""What each of several workers keeps of the bounds that count for all."""

from pathlib import Path

import pytest

from claude_openai_proxy.app.worker import part_of, pool_largest
from claude_openai_proxy.settings import Flags, Settings, load_settings


def settings(home: Path, **variables: str) -> Settings:
    return load_settings(Flags(), {"HOME": str(home), **variables}, home)


@pytest.mark.parametrize(("workers", "bound"), [(1, 1), (2, 7), (3, 256), (7, 7), (64, 100)])
def test_the_parts_add_up_to_the_bound(tmp_path: Path, workers: int, bound: int) -> None:
    whole = settings(
        tmp_path, WORKERS=str(workers), MAX_CONCURRENT_REQUESTS=str(bound), CLAUDE_POOL_MAX=str(bound),
    )  # fmt: skip
    parts = [part_of(whole, number) for number in range(1, workers + 1)]

    for held in ([one.max_concurrent_requests for one in parts], [pool_largest(one) for one in parts]):
        assert sum(held) == bound
        assert max(held) - min(held) <= 1
        assert min(held) >= 1


@pytest.mark.parametrize(("size", "of_each"), [("0", [0, 0]), ("1", [1, 1]), ("5", [3, 2])])
def test_each_keeps_a_process_ready_unless_none_is_to_be(tmp_path: Path, size: str, of_each: list[int]) -> None:
    whole = settings(tmp_path, WORKERS="2", CLAUDE_POOL_SIZE=size)
    assert [part_of(whole, number).claude_pool_size for number in (1, 2)] == of_each


def test_a_largest_pool_that_nobody_set_is_shared_out_too(tmp_path: Path) -> None:
    alone, whole = settings(tmp_path), settings(tmp_path, WORKERS="2")
    assert sum(pool_largest(part_of(whole, number)) for number in (1, 2)) == pool_largest(alone)
