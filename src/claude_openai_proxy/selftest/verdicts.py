"""Running the cases, and what can be told of it: a line each, one JSON object, a file for a bug report."""

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from claude_openai_proxy.selftest.asking import CaseFailedError, Proxy
from claude_openai_proxy.selftest.cases import CASES, Case, CaseSkippedError

Status = Literal["ok", "problem", "skipped"]
_TOLD: Final = ("version", "upstream")
"""Of `/health`, what says nothing of its owner."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one case. `detail` quotes nothing; `said` is the proxy's own sentence, for the terminal alone."""

    case: str
    status: Status
    seconds: float
    detail: str
    said: str = ""

    def line(self) -> str:
        """For a table."""
        said = f" ({self.said})" if self.said else ""
        return f"{self.status:<8} {self.case:<17}  {self.seconds:6.2f} s  {self.detail}{said}"


def verdicts(
    proxy: Proxy, *, cases: Sequence[Case] = CASES, clock: Callable[[], float] = time.monotonic
) -> Iterator[Verdict]:
    """Each as it is there; where the first fails, nothing else is asked."""
    for number, case in enumerate(cases):
        yield (verdict := _verdict(case, proxy, clock))
        if number == 0 and verdict.status == "problem":
            yield from (Verdict(left.name, "skipped", 0.0, f"needs {case.name}") for left in cases[1:])
            return


def _verdict(case: Case, proxy: Proxy, clock: Callable[[], float]) -> Verdict:
    started = clock()
    status: Status
    said = ""
    try:
        status, detail = "ok", case.run(proxy)
    except CaseSkippedError as error:
        status, detail = "skipped", str(error)
    except CaseFailedError as error:
        status, detail, said = "problem", str(error), " ".join(error.said.split())
    return Verdict(case.name, status, round(clock() - started, 3), detail, said)


def requests_of_claude() -> int:
    """So many at least; a model that calls a tool more often needs more."""
    return sum(case.requests for case in CASES)


def document(found: Sequence[Verdict], health: Mapping[str, Any], *, settings: Sequence[str]) -> dict[str, Any]:
    """Nothing that was asked or answered, no address, no value of a setting: only the names of those that are set."""
    return {
        "ok": all(verdict.status != "problem" for verdict in found),
        **{name: str(health.get(name, "")) for name in _TOLD},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "settings": sorted(settings),
        "cases": [
            {"case": one.case, "status": one.status, "seconds": one.seconds, "detail": one.detail} for one in found
        ],
    }


def as_json(told: Mapping[str, Any]) -> str:
    """Indented."""
    return json.dumps(told, indent=2)
