"""A stand-in for the CLI that answers `--version` and `auth status --json`, by the same order of logins."""

import json
import sys
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
if plan["hangs"]:
    time.sleep(30)
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

    def answers(self, *, version: str = "2.1.330 (Claude Code)", hangs: bool = False) -> None:
        self.program.with_name("claude.json").write_text(json.dumps({"version": version, "hangs": hangs}))

    @property
    def asked(self) -> list[str]:
        """The command line of each run."""
        log = self.program.with_name("claude.asked")
        return log.read_text().splitlines() if log.exists() else []


def install_fake_claude(directory: Path, home: Path) -> FakeClaude:
    program = directory / "claude"
    program.write_text(_PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    fake = FakeClaude(program, home)
    fake.answers()
    return fake
