"""Fails when a test run skipped something that is not on the list: python tests/skips_allowed.py PYTEST_LOG."""

import re
import sys
from pathlib import Path

# Reason (as a regular expression) -> why it may be skipped.
ALLOWED: dict[str, str] = {
    r"node is not installed|the Node package 'openai' is not installed": "the Node examples need node and its packages",
    r"no IPv6 loopback": "some containers have none",
}

SKIPPED = re.compile(r"^SKIPPED \[\d+\] (?P<place>\S+?): (?P<reason>.*)$", re.MULTILINE)


def main(log: Path) -> int:
    skips = SKIPPED.findall(log.read_text())
    unexpected = [(place, reason) for place, reason in skips if not any(re.search(r, reason) for r in ALLOWED)]
    sys.stdout.write(f"{len(skips)} kinds of skip, {len(unexpected)} not on the list\n")
    sys.stdout.writelines(f"not on the list: {place}: {reason}\n" for place, reason in unexpected)
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
