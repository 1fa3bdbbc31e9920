"""Checks of the logins: the one by key, which one is taken and why, and whether it may serve here."""

from claude_openai_proxy.doctor.report import Row, failed
from claude_openai_proxy.errors import PersonalPlanError, ProxyError
from claude_openai_proxy.logins.login import NO_LOGIN, Login, choose_login
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.trust import Trust
from claude_openai_proxy.upstreams.selection import SelectedUpstream

FILES, KEY, CHOICE = "Claude Code settings", "Login by key", "Upstream in use"
SHADOWED, SINGLE_USER = "Unused login", "Single user"
_READ = "See the row 'Storage'. Until they can be read, the server answers 503 to everybody."


def files_row(upstreams: SelectedUpstream) -> Row:
    """The settings files of Claude Code in which a login may stand."""
    read = [layer.source for layer in upstreams.logins.layers() if layer.trust is Trust.CLAUDE_SETTINGS]
    if problems := upstreams.logins.problems():
        return Row(
            FILES,
            "warning",
            " ".join(problems),
            "Mend the file (https://code.claude.com/docs/en/settings): its login and base URL are not seen.",
        )
    return Row(FILES, "ok", f"read: {', '.join(read)}" if read else "none found")


def by_key(upstreams: SelectedUpstream) -> Login | ProxyError | None:
    """The login that the API upstream would use, or why it must not be."""
    try:
        return choose_login(upstreams.logins.layers(), upstream="api")
    except ProxyError as error:
        return error


def needs_cli(upstreams: SelectedUpstream, settings: Settings) -> bool:
    """Whether requests go through the CLI, or would if it were logged in."""
    try:
        login = upstreams.configured()
    except ProxyError:
        return False
    return settings.upstream != "api" and (login is None or login.via == "claude-code")


async def key_row(upstreams: SelectedUpstream, settings: Settings) -> Row:
    """Which key, from where, and where it is sent. A helper is run, as it is for a request."""
    login = by_key(upstreams)
    if isinstance(login, ProxyError):
        return failed(
            KEY, login, fix="Set ANTHROPIC_API_KEY anew (https://console.anthropic.com/settings/keys) where it stands."
        )
    if login is None:
        return failed(KEY, NO_LOGIN) if settings.upstream == "api" else Row(KEY, "skipped", "no key is set")
    if settings.upstream == "claude-code":
        return Row(KEY, "ok", f"{login.source}; used only where Claude Code has no other login")
    if login.kind == "api_key_helper":
        try:
            await upstreams.logins.credential()
        except ProxyError as error:
            return failed(KEY, error, fix="Run the helper by hand and look at what it prints.")
    return Row(KEY, "ok", f"{login.source}, sent to {login.base_url} ({login.base_url_source}); billed: {login.billed}")


async def choice_row(upstreams: SelectedUpstream, settings: Settings) -> Row:
    """The way that a request would take now, and why."""
    try:
        upstream = await upstreams.current()
    except PersonalPlanError:
        return Row(CHOICE, "problem", "claude-code, which may not serve here", f"See the row {SINGLE_USER!r}.")
    except ProxyError as error:
        return failed(CHOICE, error, fix="See the rows above.")
    return Row(CHOICE, "ok", f"{upstream.identity.kind}: {_why(upstreams, settings)}")


def _why(upstreams: SelectedUpstream, settings: Settings) -> str:
    if settings.upstream != "auto":
        return f"{settings.upstream} was asked for ({settings.sources['CLAUDE_UPSTREAM']})"
    login = upstreams.configured()
    first = login.source if login else "Claude Code's own login"
    return f"{first} comes first in Claude Code's order of logins"


async def shadowed_row(upstreams: SelectedUpstream) -> Row:
    """A subscription that somebody may think is used."""
    try:
        subscription = await upstreams.shadowed_subscription()
    except ProxyError:
        return Row(SHADOWED, "skipped", "the login by key is not usable")
    if not subscription:
        return Row(SHADOWED, "ok", "none")
    found = f"a key comes before your {subscription}, which is not used"
    return Row(
        SHADOWED,
        "warning",
        found,
        "To use that: claude-openai-proxy --upstream claude-code. To keep the key: nothing to do.",
    )


async def single_user_row(upstreams: SelectedUpstream, settings: Settings, keys: int | None) -> Row:
    """One person's plan stays one person's. `keys` open the door; None where those that are stored cannot be read."""
    try:
        refusal = await upstreams.start_refusal()
    except ProxyError:
        return Row(SINGLE_USER, "skipped", "no login is usable")
    if refusal:
        return failed(SINGLE_USER, refusal)
    if settings.single_user:
        return Row(SINGLE_USER, "ok", "CLAUDE_CODE_SINGLE_USER=yes: you say that only you use this proxy")
    if keys is None:
        return failed(SINGLE_USER, "the stored client keys cannot be read: nobody knows how many there are", fix=_READ)
    who = "other machines" if settings.public else "this machine only"
    return Row(SINGLE_USER, "ok", f"nothing to refuse: {who}, client keys: {keys}")
