"""`claude-openai-proxy doctor` as a user runs it: exit code, table, JSON, never a traceback."""

import json
from pathlib import Path

from cli.running import finished
from selection.fake_claude import FakeClaude


def test_the_demo_is_well(home: Path, free_port: int) -> None:
    run = finished("doctor", "--demo", "--port", str(free_port), home=home)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[0].startswith("ok       Python ")
    assert run.stdout.splitlines()[-1] == "No problem found."


def test_a_problem_is_exit_code_1(home: Path, person: dict[str, str]) -> None:
    run = finished("doctor", home=home, extra=person)

    assert (run.returncode, run.stderr) == (1, "")
    assert "problem  Upstream in use " in run.stdout
    assert "-> Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo" in run.stdout


def test_json_is_alone_on_standard_output(home: Path, person: dict[str, str], claude: FakeClaude) -> None:
    claude.is_logged_in()
    extra = person | {"ANTHROPIC_API_KEY": "sk-ant-secret"}

    run = finished("doctor", "--json", "--no-request", "--upstream", "api", home=home, extra=extra)

    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["ok"] is True
    assert "secret" not in run.stdout


def test_a_bad_setting_is_a_row(home: Path, person: dict[str, str]) -> None:
    run = finished("doctor", "--env-file", "none.env", home=home, extra=person)

    assert (run.returncode, run.stderr) == (1, "")
    assert "none.env (from --env-file) does not exist" in run.stdout


def test_an_unknown_flag_is_refused(home: Path) -> None:
    run = finished("doctor", "--rescue", home=home)

    assert run.returncode == 2
    assert "Traceback" not in run.stderr
