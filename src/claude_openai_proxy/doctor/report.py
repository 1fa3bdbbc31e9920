"""What the doctor found, as a table for a person and as JSON for a program."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import ProxyError

Status = Literal["ok", "warning", "problem", "skipped"]


class Row(Struct, frozen=True):
    """One check: what was found, and what to do about it. Holds no secret."""

    check: str
    status: Status
    found: str
    fix: str = ""


class Report(Struct, frozen=True):
    """All checks, in the order in which they build on each other."""

    ok: bool
    version: str
    rows: tuple[Row, ...]


def report_of(rows: list[Row], version: str) -> Report:
    """Fine as long as nothing is a problem; `version` is the proxy's."""
    return Report(all(row.status != "problem" for row in rows), version, tuple(rows))


def failed(check: str, error: Exception | str, *, status: Status = "problem", fix: str = "") -> Row:
    """A row for an error: its first sentence says what is, the rest what to do; `fix` stands in for no rest."""
    message = error.message if isinstance(error, ProxyError) else str(error)
    found, _, rest = message.partition(". ")
    return Row(check, status, found.rstrip("."), rest or fix)


def as_json(report: Report) -> str:
    """One object."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_table(report: Report) -> str:
    """Aligned columns, the advice in a line of its own, and the sum of it."""
    return "\n".join([*_lines(report), "", _sum(report)])


def _lines(report: Report) -> Iterator[str]:
    width = max(len(row.check) for row in report.rows)
    for row in report.rows:
        yield f"{row.status:<8} {row.check:<{width}}  {_one_line(row.found)}"
        if row.fix:
            yield f"{'':<8} {'':<{width}}  -> {_one_line(row.fix)}"


def _sum(report: Report) -> str:
    problems = sum(row.status == "problem" for row in report.rows)
    if problems:
        return f"{problems} problem{'s' if problems > 1 else ''}. Help by symptom: docs/troubleshooting.md"
    warnings = sum(row.status == "warning" for row in report.rows)
    return f"No problem found, {warnings} warning{'s' if warnings > 1 else ''}." if warnings else "No problem found."


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
