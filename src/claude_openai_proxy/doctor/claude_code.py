"""Checks of the Claude Code CLI: the program, its contract, its login."""

import time
from dataclasses import dataclass, field

from claude_openai_proxy.doctor.report import Row, Status, failed
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.logins.login import NO_LOGIN
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.binary import (
    INSTALL,
    MINIMUM_VERSION,
    NEWEST_TESTED,
    Binary,
    shown_command,
    update_command,
)
from claude_openai_proxy.upstreams.claude_code.login import CliLogin

PROGRAM, CONTRACT, LOGIN = "Claude Code CLI", "Contract check", "Claude Code login"
_NO_PROGRAM = "needs the CLI"
_NO_DATE = "; made by `claude setup-token`, it works for a year: since when, neither the CLI nor the token tells"


@dataclass(slots=True)
class Findings:
    """What became known of the CLI."""

    rows: list[Row] = field(default_factory=list)
    login: CliLogin | None = None
    """None where the CLI is not logged in, or could not say."""
    proven: bool = False

    @property
    def usable(self) -> bool:
        """Whether a request can be sent through it."""
        return self.proven and self.login is not None


def not_looked_at(why: str) -> Findings:
    """Rows that say why nothing was asked."""
    return Findings([Row(check, "skipped", why) for check in (PROGRAM, CONTRACT, LOGIN)])


async def look_at_cli(cli: ClaudeCode, *, needed: bool) -> Findings:
    """Ask the CLI. Where another login is used and it is not `needed`, what is wrong with it is a warning at most."""
    status: Status = "problem" if needed else "warning"
    try:
        binary = await cli.binary()
    except (ProxyError, OSError) as error:
        rest = [Row(check, "skipped", _NO_PROGRAM) for check in (CONTRACT, LOGIN)]
        return Findings([failed(PROGRAM, error, status=status, fix=INSTALL), *rest])
    findings = Findings([_program_row(binary)])
    await _check_contract(cli, binary, findings, status)
    await _ask_login(cli, binary, findings, status if needed else "skipped")
    return findings


def _program_row(binary: Binary) -> Row:
    least, tested = (".".join(map(str, version)) for version in (MINIMUM_VERSION, NEWEST_TESTED))
    newer = tuple(map(int, binary.version.split("."))) > NEWEST_TESTED
    than = "newer than that, so the contract check decides" if newer else f"at least {least} is needed"
    return Row(PROGRAM, "ok", f"{binary.version} at {binary.path} (tested up to {tested}; {than})")


def _remedy(binary: Binary) -> str:
    look, newer = shown_command(binary.path, "auth", "status"), update_command(binary.path)
    return f"Try it by hand: {look}. Update it: {newer}. Or use an API key: claude-openai-proxy --upstream api"


async def _check_contract(cli: ClaudeCode, binary: Binary, findings: Findings, status: Status) -> None:
    started = time.monotonic()
    try:
        checked = await cli.prove(binary)
    except (ProxyError, OSError) as error:
        findings.rows.append(failed(CONTRACT, error, status=status, fix=_remedy(binary)))
        return
    how = f"checked now, in {time.monotonic() - started:.1f} s" if checked else "checked before for this very program"
    findings.rows.append(Row(CONTRACT, "ok", f"it sends what it is asked to send ({how})"))
    findings.proven = True


async def _ask_login(cli: ClaudeCode, binary: Binary, findings: Findings, status: Status) -> None:
    try:
        login = await cli.login()
    except (ProxyError, OSError) as error:
        findings.rows.append(failed(LOGIN, error, status=status, fix=_remedy(binary)))
        return
    if login.kind == "none":
        findings.rows.append(failed(LOGIN, f"not logged in. {NO_LOGIN.partition('. ')[2]}", status=status))
        return
    findings.login = login
    ends = _NO_DATE if login.kind == "token" and login.personal else ""
    findings.rows.append(Row(LOGIN, "ok", f"{login.words} ({login.kind}), billed: {login.billed}{ends}"))
