"""`chat`: a question and its answer in the terminal."""

import json
import subprocess
from pathlib import Path

import pytest

from claude_openai_proxy.commands.table import read
from cli.running import argv, environment, finished

ANSWER = "This is claude-sonnet-5-5, simulated. You said: Hello there\n"


def test_a_question_is_answered(tmp_path: Path) -> None:
    run = finished("chat", "--demo", "Hello there", home=tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, ANSWER, "")


def test_words_need_no_quotes_and_flags_may_stand_before() -> None:
    arguments = read(["--demo", "chat", "Hello", "there", "--model", "opus"])
    assert (arguments.question, arguments.model, arguments.demo) == (["Hello", "there"], "opus", True)


def test_the_question_may_come_from_standard_input(tmp_path: Path) -> None:
    run = subprocess.run(
        argv("chat", "-", "--demo"),
        cwd=tmp_path,
        env=environment(tmp_path),
        input="Hello there",
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == ANSWER


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--demo", "--model", "nobody", "Hello"], 1, "The model 'nobody' does not exist"),
        (["--upstream", "api", "Hello"], 1, "No Claude login found. Run: claude-openai-proxy login"),
        (["--demo", " "], 2, 'There is no question. Like this: claude-openai-proxy chat "Hello"'),
    ],
)
def test_what_is_wrong_is_told_and_nothing_else(tmp_path: Path, words: list[str], code: int, told: str) -> None:
    run = finished("chat", *words, home=tmp_path)
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith(f"claude-openai-proxy: {told}")
    assert len(run.stderr.splitlines()) == 1


def test_an_answer_cannot_command_the_terminal(tmp_path: Path) -> None:
    run = finished("chat", "--demo", "Hello \x1b[31mthere\x07", home=tmp_path)
    assert run.stdout == ANSWER.replace("Hello there", "Hello [31mthere")


def test_every_setting_is_shown_with_its_source_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=4000\nANTHROPIC_API_KEY=sk-ant-made-up\n", encoding="utf-8")
    extra = {"PROXY_API_KEYS": "ann:a-long-key-of-ann"}
    table = finished("config", "--log-level", "debug", home=tmp_path, extra=extra)
    listed = json.loads(finished("config", "--json", home=tmp_path, extra=extra).stdout)

    shown = {line.split("  ")[0]: line.split() for line in table.stdout.splitlines()}
    assert shown["PORT"] == ["PORT", "4000", ".env", "3000"]
    assert shown["LOG_LEVEL"][:3] == ["LOG_LEVEL", "debug", "--log-level"]
    assert shown["PROXY_API_KEYS"] == ["PROXY_API_KEYS", "***", "the", "environment", "none"]
    assert shown["ANTHROPIC_API_KEY"] == ["ANTHROPIC_API_KEY", "***", ".env", "none"]
    by_name = {one["name"]: one for one in listed["settings"]}
    assert by_name["DRAIN_SECONDS"] == {"name": "DRAIN_SECONDS", "value": "30", "source": "default", "default": "30"}
    assert listed["files"] == [".env"]
    assert "made-up" not in table.stdout + str(listed)
    assert "ann" not in table.stdout + str(listed)


def test_a_mistake_is_told_instead(tmp_path: Path) -> None:
    run = finished("config", "--port", "many", home=tmp_path)
    assert run.returncode == 2
    assert "PORT from --port is 'many'" in run.stderr
