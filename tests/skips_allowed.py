"""Fails when a run of the tests skipped something that is not on the list.

python tests/skips_allowed.py PYTEST_LOG [--without-clients]
"""

import re
import sys
from pathlib import Path

# Reason (as a regular expression) -> why it may be skipped.
ALLOWED: dict[str, str] = {
    r"node is not installed|the Node package 'openai' is not installed": "the Node examples need node and its packages",
    r"the Python package '(brotli|backports\.zstd)' is not installed": "the extra `compression` brings them",
    r"(zsh|fish) is not installed": "shells that check their own completions",
    r"chromium or playwright is not installed": "Debian's package, which .ci/run installs where it may",
    r"the Node package 'axe-core' is not installed": "what looks for barriers on pages comes from npm",
    r"(nginx|caddy) is not installed": "Debian's packages, which .ci/run installs where it may",
    r"the Node package '(dockerfile-utils|dclint)' is not installed": "the linters of containers' files come from npm",
    r"the Node package 'librechat-data-provider' is not installed": "LibreChat's own schema comes from npm",
    r"systemd-analyze is not installed": "where systemd is not",
    r"no container engine runs here|the base image cannot be had": "an image is built only where one can be",
    r"no PostgreSQL server can be had": "Debian's packages, which .ci/run installs where it may",
    r"no IPv6 loopback": "some containers have none",
}
WITHOUT_CLIENTS: dict[str, str] = {
    r"client .* is not installed": "the extra test-clients brings them; README's test command is for those without",
}

SKIPPED = re.compile(r"^SKIPPED \[\d+\] (?P<place>\S+?): (?P<reason>.*)$", re.MULTILINE)


def main(log: Path, allowed: dict[str, str]) -> int:
    skips = SKIPPED.findall(log.read_text())
    unexpected = [(place, reason) for place, reason in skips if not any(re.search(r, reason) for r in allowed)]
    sys.stdout.write(f"{len(skips)} kinds of skip, {len(unexpected)} not on the list\n")
    sys.stdout.writelines(f"not on the list: {place}: {reason}\n" for place, reason in unexpected)
    return 1 if unexpected else 0


if __name__ == "__main__":
    without_clients = "--without-clients" in sys.argv[2:]
    sys.exit(main(Path(sys.argv[1]), ALLOWED | WITHOUT_CLIENTS if without_clients else ALLOWED))
