"""`batch`: a file of requests from the terminal."""

import json
import re
from pathlib import Path

import pytest

from batches.files import chat, jsonl, line
from claude_openai_proxy.commands.batch import progress
from claude_openai_proxy.protocols.openai_batches import Batch, BatchRequestCounts, BatchStatus, BatchUsage
from cli.running import finished


def test_a_file_is_run_to_its_results(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(jsonl([line("a", chat("Hello")), line("b", chat(n=0)), line("c", chat())]))
    run = finished("batch", "in.jsonl", "--wait", "--out", "out.jsonl", "--demo", home=tmp_path)
    assert run.returncode == 1
    told = [json.loads(one) for one in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["custom_id"] for one in told] == ["a", "c"]
    (refused,) = (tmp_path / "out.jsonl.errors").read_text(encoding="utf-8").splitlines()
    assert json.loads(refused)["custom_id"] == "b"
    assert re.search(r"3 of 3 lines, 1 failed, \$0\.\d{4} instead of \$0\.\d{4}, completed$", run.stderr, re.MULTILINE)
    assert run.stdout == ""


def test_results_go_to_standard_output_unless_they_are_to_go_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(jsonl([line("a", chat("Hello"))]))
    run = finished("batch", "in.jsonl", "--wait", "--demo", home=tmp_path)
    assert run.returncode == 0
    assert [json.loads(one)["custom_id"] for one in run.stdout.splitlines()] == ["a"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["none.jsonl", "--wait"], 2, "There is no file none.jsonl."),
        (["in.jsonl"], 2, "add --wait, or the batch would be gone"),
        (["bad.jsonl", "--wait"], 1, "This line is not parseable as valid JSON. (line 2)"),
        (["text.jsonl", "--wait"], 1, "Invalid file format for Batch API. Must be .jsonl"),
        (["batch_none", "--wait"], 1, "No batch found with id 'batch_none'."),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, words: list[str], code: int, told: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(jsonl([line("a", chat("Hello"))]))
    (tmp_path / "bad.jsonl").write_bytes(jsonl([line("a", chat("Hello")), "{"]))
    (tmp_path / "text.jsonl").write_bytes(b"hello\n")
    run = finished("batch", *words, "--demo", home=tmp_path)
    assert run.returncode == code
    assert told in run.stderr


def batch(status: BatchStatus, *counts: int) -> Batch:
    return Batch(
        id="batch_1",
        endpoint="/v1/chat/completions",
        model=None,
        errors=None,
        input_file_id="file-1",
        completion_window="24h",
        status=status,
        output_file_id=None,
        error_file_id=None,
        created_at=0,
        expires_at=86_400,
        request_counts=BatchRequestCounts(*counts),
        usage=BatchUsage(),
        metadata=None,
        in_progress_at=None,
        finalizing_at=None,
        completed_at=None,
        failed_at=None,
        expired_at=None,
        cancelling_at=None,
        cancelled_at=None,
    )


def test_the_bar_tells_lines_and_money() -> None:
    native = progress(batch("in_progress", 4, 1, 1), "native", 0.5)
    assert native == f"[{'#' * 15}{'.' * 15}] 2 of 4 lines, 1 failed, $0.5000 instead of $1.0000, in_progress"
    emulated = progress(batch("validating"), "emulated", 0.0)
    assert emulated == f"[{'.' * 30}] 0 of 0 lines, $0.0000 by list price, validating"
