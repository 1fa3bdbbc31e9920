"""A stand-in for the CLI that answers `--version` and `auth status --json`, by the same order of logins."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """#!{python} -SE
import json, os, sys, time
plan = json.load(open(__file__ + ".json"))
home = os.environ.get("CLAUDE_CONFIG_DIR") or os.environ["HOME"] + "/.claude"
with open(__file__ + ".asked", "a") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")
def logged_in(method, **more):
    return {{"loggedIn": True, "authMethod": method, "apiProvider": "firstParty", **more}}
def login(env):
    if env.get("CLAUDE_CODE_USE_BEDROCK"):
        return logged_in("third_party", apiProvider="bedrock")
    if env.get("ANTHROPIC_AUTH_TOKEN") or env.get("CLAUDE_CODE_OAUTH_TOKEN"):
        return logged_in("oauth_token")
    if env.get("ANTHROPIC_API_KEY"):
        return logged_in("api_key", apiKeySource="ANTHROPIC_API_KEY")
    if os.path.exists(home + "/logged-in"):
        return logged_in("claude.ai", subscriptionType="max", email="a@b.example", orgId="o")
    return {{"loggedIn": False, "authMethod": "none", "apiProvider": "firstParty"}}
if "-p" in sys.argv:
    sys.exit(1)
with open(__file__ + ".given", "a") as given:
    given.write(json.dumps(dict(os.environ)) + "\\n")
if plan["hangs"]:
    time.sleep(30)
while plan["waits"] and os.path.exists(__file__ + ".wait"):
    time.sleep(0.01)
print(plan["version"] if "--version" in sys.argv else json.dumps(login(os.environ)))
"""


@dataclass(frozen=True)
class FakeClaude:
    """The program, and the person's home in which it is logged in or out."""

    program: Path
    home: Path

    def is_logged_in(self) -> None:
        (self.home / ".claude").mkdir(exist_ok=True)
        (self.home / ".claude" / "logged-in").touch()

    def is_logged_out(self) -> None:
        (self.home / ".claude" / "logged-in").unlink()

    def answers(self, *, version: str = "2.1.330 (Claude Code)", hangs: bool = False, waits: bool = False) -> None:
        """`waits`: every answer comes after `goes_on`."""
        self.program.with_name("claude.wait").touch()
        plan = {"version": version, "hangs": hangs, "waits": waits}
        self.program.with_name("claude.json").write_text(json.dumps(plan))

    def until_asked(self) -> None:
        while not self.asked:
            time.sleep(0.01)

    def goes_on(self) -> None:
        self.program.with_name("claude.wait").unlink()

    @property
    def asked(self) -> list[str]:
        """The command line of each run."""
        log = self.program.with_name("claude.asked")
        return log.read_text().splitlines() if log.exists() else []

    @property
    def given(self) -> list[dict[str, str]]:
        """The login and the base URL in the environment of each run that asks something."""
        runs = [json.loads(line) for line in self.program.with_name("claude.given").read_text().splitlines()]
        return [{name: text for name, text in run.items() if name.startswith("ANTHROPIC_")} for run in runs]


def install_fake_claude(directory: Path, home: Path) -> FakeClaude:
    program = directory / "claude"
    program.write_text(_PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    fake = FakeClaude(program, home)
    fake.answers()
    return fake
