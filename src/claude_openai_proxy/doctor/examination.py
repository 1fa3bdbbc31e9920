"""All checks together. They do not depend on each other: one that fails leaves the others standing."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from claude_openai_proxy import __version__
from claude_openai_proxy.app.upstreams import demo_upstream, selected_upstream
from claude_openai_proxy.app.wiring import Pins, model_catalog
from claude_openai_proxy.doctor import claude_code, logins
from claude_openai_proxy.doctor.claude_code import Findings, look_at_cli, not_looked_at
from claude_openai_proxy.doctor.machine import configuration_row, port_row, proxy_row, python_row
from claude_openai_proxy.doctor.models import CHECK as MODELS
from claude_openai_proxy.doctor.models import models_row
from claude_openai_proxy.doctor.report import Report, Row, failed, report_of
from claude_openai_proxy.doctor.round_trip import check_of, round_trip_row
from claude_openai_proxy.doctor.storage import CHECK as STORAGE
from claude_openai_proxy.doctor.storage import key_count, storage_row
from claude_openai_proxy.logins.login import Login
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamChoice
from claude_openai_proxy.upstreams.only import OnlyUpstream
from claude_openai_proxy.upstreams.selection import SelectedUpstream

NOT_ASKED = "--no-request"
_LOGINS = (logins.FILES, logins.KEY, logins.CHOICE, logins.SHADOWED, logins.SINGLE_USER)


async def examine(load: Callable[[], Settings], *, with_request: bool, today: date) -> Report:
    """Every check; `load` reads the settings. `with_request` also sends one small request through each upstream."""
    rows = [python_row(), proxy_row()]
    try:
        loaded = load()
        memory = replace(loaded.storage, kind="memory")
        settings = replace(loaded, claude_pool_size=0, unsupported_parameters="report", storage=memory)
    except SettingsError as error:
        rows += [failed("Configuration", problem, fix="See docs/configuration.md.") for problem in error.problems]
        return report_of(rows + _without_settings(), __version__)
    keys = await key_count(loaded)
    look = _look_at_demo if settings.demo else partial(_look, keys=keys)
    async with asyncio.TaskGroup() as at_once:
        port = at_once.create_task(port_row(settings))
        storage = at_once.create_task(storage_row(loaded))
        others = at_once.create_task(look(settings, with_request=with_request, today=today))
    about_it = [configuration_row(settings), port.result(), storage.result()]
    return report_of([*rows, *about_it, *others.result()], __version__)


def _without_settings() -> list[Row]:
    checks = ("Port", STORAGE, claude_code.PROGRAM, claude_code.CONTRACT, claude_code.LOGIN, *_LOGINS, MODELS)
    return [Row(check, "skipped", "needs a valid configuration") for check in checks]


async def _look_at_demo(settings: Settings, *, with_request: bool, today: date) -> list[Row]:
    upstream = demo_upstream()
    try:
        rows = [Row(logins.CHOICE, "ok", "demo: the built-in simulator answers, no login is needed")]
        rows.append(await models_row(model_catalog(settings, upstream), today))
        return [*rows, await _round_trip(settings, upstream, "demo", "" if with_request else NOT_ASKED)]
    finally:
        await upstream.aclose()


async def _look(settings: Settings, *, with_request: bool, today: date, keys: int | None) -> list[Row]:
    count = len(settings.client_keys) if keys is None else keys
    upstreams = selected_upstream(settings, client_keys=lambda: count)
    try:
        cli = await _cli_findings(upstreams, settings)
        rows = await _login_rows(upstreams, settings, keys)
        why_not = _why_no_trips(upstreams, settings, cli, rows) if with_request else (NOT_ASKED, NOT_ASKED)
        pins = upstreams.logins.pins
        async with asyncio.TaskGroup() as at_once:
            names = at_once.create_task(_models(settings, upstreams, today, ask=with_request))
            api = at_once.create_task(_round_trip(settings, _always(upstreams.api), "api", why_not[0], pins))
            code = at_once.create_task(
                _round_trip(settings, _always(upstreams.claude_code), "claude-code", why_not[1], pins)
            )
        return [*cli.rows, *rows, names.result(), api.result(), code.result()]
    finally:
        await upstreams.aclose()


async def _cli_findings(upstreams: SelectedUpstream, settings: Settings) -> Findings:
    if settings.upstream == "api":
        return not_looked_at("not asked for: the upstream is api")
    return await look_at_cli(upstreams.claude_code, needed=logins.needs_cli(upstreams, settings))


async def _login_rows(upstreams: SelectedUpstream, settings: Settings, keys: int | None) -> list[Row]:
    return [
        logins.files_row(upstreams),
        await logins.key_row(upstreams, settings),
        await logins.choice_row(upstreams, settings),
        await logins.shadowed_row(upstreams),
        await logins.single_user_row(upstreams, settings, keys),
    ]


def _why_no_trips(
    upstreams: SelectedUpstream, settings: Settings, cli: Findings, rows: Sequence[Row]
) -> tuple[str, str]:
    """Why there is nothing to ask through the API, and through the CLI; "" where there is."""
    wrong = {row.check for row in rows if row.status == "problem"}
    by_key = isinstance(logins.by_key(upstreams), Login) and logins.KEY not in wrong
    api = "" if by_key and settings.upstream != "claude-code" else "no login by key is in use"
    code = "" if cli.usable and logins.SINGLE_USER not in wrong else "the CLI cannot be used, see above"
    return api, "the upstream is api" if settings.upstream == "api" else code


async def _models(settings: Settings, upstreams: SelectedUpstream, today: date, *, ask: bool) -> Row:
    pins = upstreams.logins.pins
    return await models_row(model_catalog(settings, upstreams if ask else None, pins), today)


async def _round_trip(settings: Settings, upstreams: UpstreamChoice, kind: str, why_not: str, pins: Pins = dict) -> Row:
    if why_not:
        return Row(check_of(kind), "skipped", why_not)
    return await round_trip_row(settings, upstreams, kind, pins)


def _always(upstream: Upstream) -> OnlyUpstream:
    return OnlyUpstream(upstream, login="", closing=upstream.aclose)
