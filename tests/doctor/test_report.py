"""How findings are shown."""

import json

from claude_openai_proxy.doctor.report import Row, as_json, as_table, failed, report_of
from claude_openai_proxy.errors import NoLoginError

ROWS = [
    Row("Python", "ok", "3.13"),
    Row("Unused login", "warning", "a plan\nthat sleeps", "Wake it."),
    Row("Port", "problem", "3000 is taken", "Take 3001."),
]


def test_the_table_is_aligned_and_has_advice_below_its_row() -> None:
    assert as_table(report_of(ROWS, "1.0")).splitlines() == [
        "ok       Python        3.13",
        "warning  Unused login  a plan that sleeps",
        "                       -> Wake it.",
        "problem  Port          3000 is taken",
        "                       -> Take 3001.",
        "",
        "1 problem. Help by symptom: docs/troubleshooting.md",
    ]


def test_the_last_line_counts() -> None:
    def last(*rows: Row) -> str:
        return as_table(report_of(list(rows), "1.0")).splitlines()[-1]

    assert last(ROWS[0]) == "No problem found."
    assert last(ROWS[1]) == "No problem found, 1 warning."
    assert last(ROWS[1], ROWS[1]) == "No problem found, 2 warnings."
    assert last(ROWS[2], ROWS[2]).startswith("2 problems.")


def test_no_control_character_reaches_the_terminal() -> None:
    assert "\x1b" not in as_table(report_of([Row("Port", "problem", "a\x1b[2Jb", "c\x07d")], "1.0"))


def test_json_is_one_object() -> None:
    report = json.loads(as_json(report_of(ROWS, "1.0")))

    assert (report["ok"], report["version"]) == (False, "1.0")
    assert report["rows"][0] == {"check": "Python", "status": "ok", "found": "3.13", "fix": ""}


def test_warnings_are_no_problem() -> None:
    assert report_of(ROWS[:2], "1.0").ok
    assert not report_of(ROWS, "1.0").ok


def test_an_error_is_split_into_what_is_and_what_to_do() -> None:
    row = failed("Login", NoLoginError("No login found. Run: claude-openai-proxy login"))

    assert (row.status, row.found, row.fix) == ("problem", "No login found", "Run: claude-openai-proxy login")


def test_an_error_without_advice_gets_some() -> None:
    assert failed("Login", "It is broken.", fix="Mend it.") == Row("Login", "problem", "It is broken", "Mend it.")
