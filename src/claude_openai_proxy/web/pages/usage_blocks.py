"""The blocks of the usage page, in the order in which people look for them. Every text is escaped where it is put in.

What comes from requests is cut, and the last requests stop where the page would become too large.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from html import escape
from typing import Final
from urllib.parse import urlencode

from msgspec import UNSET

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.service.plan_meter import LimitsReport, WindowReport
from claude_openai_proxy.service.usage import time_words
from claude_openai_proxy.service.usage_overview import FAILED, STATUSES, Overview
from claude_openai_proxy.storage.ledger import LedgerSum, added
from claude_openai_proxy.translate.messages_api.refusals import window_words
from claude_openai_proxy.web.pages.charts import SERIES, Series, bar, stacked_columns

Words = Mapping[str, str]

CUT: Final = 40
"""Characters of a name on the page."""
ROWS: Final = 20
"""Of keys and clients."""
BLOCKS_BYTES: Final = 50_000
"""Of all of them together; style, script and the rest have the other 10,000 that a page may have."""
_HIGH, _FULL = 80, 95


def blocks(overview: Overview, words: Words) -> str:
    """All five."""
    plan, day, key, cache = (part(overview, words) for part in (plan_block, day_block, key_block, cache_block))
    room = BLOCKS_BYTES - sum(len(block.encode()) for block in (plan, day, key, cache))
    return "\n".join((plan, day, key, latest_block(overview, words, room=room), cache))


def _section(id_: str, title: str, content: str) -> str:
    heading = f'<h2 id="{id_}-title">{escape(title)}</h2>'
    return f'<section id="{id_}" aria-labelledby="{id_}-title">{heading}{content}</section>'


# ---- plan -----------------------------------------------------------------------------------------------------------


def plan_block(overview: Overview, words: Words) -> str:
    """Each window of each login: share, time to reset, age."""
    logins = [_login(login, words) for login in overview.limits if login.windows or login.status]
    return _section("plan", words["plan"], "".join(logins) or f'<p class="quiet">{escape(words["no_plan"])}</p>')


def _login(login: LimitsReport, words: Words) -> str:
    windows = "".join(_window(window, words) for window in login.windows)
    extra = ""
    if login.extra_usage is not UNSET:
        told = words["extra_on" if login.extra_usage.in_use else "extra"].format(status=login.extra_usage.status or "?")
        extra = f'<p class="quiet">{escape(told)}</p>'
    return f'<h3>{escape(login.upstream)}</h3><div class="windows">{windows}</div>{extra}'


def _window(window: WindowReport, words: Words) -> str:
    name = words["window"].format(name=words.get(window.name) or window_words(window.name))
    if window.used_percent is not UNSET:
        said, share = words["used"].format(percent=f"{window.used_percent:g}"), window.used_percent / 100
    elif window.limit is not UNSET and window.remaining is not UNSET:
        said = words["left"].format(remaining=f"{window.remaining:,}", limit=f"{window.limit:,}")
        share = 1 - window.remaining / window.limit if window.limit else 1.0
    else:
        said, share = words["unknown"], 0.0
    level = "full" if share * 100 >= _FULL else "high" if share * 100 >= _HIGH else ""
    told = [words["told"].format(time=span(window.age_seconds, words))]
    if window.resets_in_seconds is not UNSET and window.resets_in_seconds:
        told.insert(0, words["resets"].format(time=span(window.resets_in_seconds, words)))
    return (
        f"<div><div>{escape(name)}</div>{bar(share, title=f'{name}: {said}', level=level)}"
        f'<div>{escape(said)}</div><div class="quiet">{escape(" · ".join(told))}</div></div>'
    )


# ---- by day ---------------------------------------------------------------------------------------------------------


def day_block(overview: Overview, words: Words) -> str:
    """Sums, two charts with one legend, and the same as a table."""
    total = overview.total
    if not total.requests:
        return _section("days", words["by_day"], f'<p class="quiet">{escape(words["nothing"])}</p>')
    models = _models(overview, words)
    labels = [time_words("day", day) for day in overview.days]
    charts = "".join(
        _chart(overview, models, labels, words, title=words[title], value=value, said=said)
        for title, value, said in (("tokens", _tokens, compact), ("cost", _price, dollars))
    )
    legend = "".join(
        f'<li><svg viewBox="0 0 1 1" aria-hidden="true"><rect class="s{number}" width="1" height="1"/></svg>'
        f"{escape(short(name))}</li>"
        for number, name in enumerate(models)
    )
    shown = f'{_sums(total, words)}{charts}<ul class="legend">{legend}</ul>'
    return _section("days", words["by_day"], f"{shown}{_day_table(overview, words)}{_notes(total, words)}")


def _models(overview: Overview, words: Words) -> dict[str, frozenset[str]]:
    """The dearest models by themselves, all others together: as many as there are colours."""
    by_model: dict[str, LedgerSum] = {}
    for one in overview.by_day_and_model:
        by_model[one.group[1]] = added(by_model.get(one.group[1], LedgerSum()), one)
    order = sorted(by_model, key=lambda model: (-by_model[model].list_price, -_tokens(by_model[model]), model))
    most = SERIES - 1 if len(order) > SERIES else len(order)
    named = {model or "–": frozenset({model}) for model in order[:most]}
    return named | ({words["others"]: frozenset(order[most:])} if len(order) > most else {})


def _chart(
    overview: Overview,
    models: Mapping[str, frozenset[str]],
    labels: Sequence[str],
    words: Words,
    *,
    title: str,
    value: Callable[[LedgerSum], float],
    said: Callable[[float], str],
) -> str:
    at = {day: place for place, day in enumerate(overview.days)}
    series = []
    for name, members in models.items():
        values = [0.0] * len(labels)
        for one in overview.by_day_and_model:
            if one.group[1] in members and int(one.group[0]) in at:
                values[at[int(one.group[0])]] += value(one)
        series.append(Series(name, values))
    sums = [sum(one.values[place] for one in series) for place in range(len(labels))]
    tips = [f"{label}: {said(number)}" for label, number in zip(labels, sums, strict=True)]
    ends = labels[0], words["highest"].format(number=said(max(sums))), labels[-1]
    under = "".join(f"<span>{escape(text)}</span>" for text in ends)
    chart = stacked_columns(series, tips, title=title)
    return f'<h3>{escape(title)}</h3>{chart}<div class="ends quiet">{under}</div>'


def _sums(total: LedgerSum, words: Words) -> str:
    told = (
        ("requests", f"{total.requests:,}"),
        ("input", compact(total.input_tokens)),
        ("output", compact(total.output_tokens)),
        ("list_price", dollars(total.list_price)),
        ("charged", dollars(total.charged)),
    )
    rows = "".join(f"<div><dt>{escape(words[name])}</dt><dd>{escape(text)}</dd></div>" for name, text in told)
    return f'<dl class="sums">{rows}</dl>'


def _day_table(overview: Overview, words: Words) -> str:
    by_day: dict[int, LedgerSum] = {}
    for one in overview.by_day_and_model:
        by_day[int(one.group[0])] = added(by_day.get(int(one.group[0]), LedgerSum()), one)
    rows = [[time_words("day", day), *_figures(by_day[day])] for day in sorted(by_day, reverse=True)]
    head = [words[name] for name in ("day", "requests", "failed", "input", "output", "list_price", "charged")]
    table = _table(head, rows, words["by_day"], first=1)
    return f"<details><summary>{escape(words['as_table'])}</summary>{table}</details>"


def _notes(total: LedgerSum, words: Words) -> str:
    told = [words["price_note"]]
    if total.unpriced:
        told.append(words["unpriced"].format(count=f"{total.unpriced:,}"))
    if total.uncharged:
        told.append(words["elsewhere"].format(count=f"{total.uncharged:,}"))
    return f'<p class="quiet">{escape(" ".join(told))}</p>'


# ---- by key and client ----------------------------------------------------------------------------------------------


def key_block(overview: Overview, words: Words) -> str:
    """The dearest first."""
    order = sorted(overview.by_key_and_client, key=lambda one: (-one.list_price, -one.requests, one.name, one.group))
    rows = [[one.name, one.group[1] or "–", *_figures(one)] for one in order[:ROWS]]
    if rest := order[ROWS:]:
        together = reduce(added, rest, LedgerSum())
        rows.append([words["others"], "–", *_figures(together)])
    if not rows:
        return _section("keys", words["by_key"], f'<p class="quiet">{escape(words["nothing"])}</p>')
    names = ("key", "client", "requests", "failed", "input", "output", "list_price", "charged")
    more = f'<p class="quiet">{escape(words["more_rows"].format(count=len(rest)))}</p>' if rest else ""
    table = _table([words[name] for name in names], rows, words["by_key"], first=2)
    return _section("keys", words["by_key"], table + more)


# ---- the last requests ----------------------------------------------------------------------------------------------


def latest_block(overview: Overview, words: Words, *, room: int) -> str:
    """With a form to choose among them, which needs no script; as many as there is room for, in bytes."""
    names = ("time", "status", "model", "key", "client", "input", "output", "list_price", "duration", "error")
    head = "".join(f'<th scope="col"{_right(name in _NUMBERS)}>{escape(words[name])}</th>' for name in names)
    form = _form(overview, words)
    rows, size = [], len(form.encode()) + _AROUND_BYTES
    for row in overview.latest:
        line = _latest_row(row)
        size += len(line.encode())
        if size > room:
            break
        rows.append(line)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    told = words["shown"].format(count=len(rows)) if rows else words["none_such"]
    shown = _wide(table, words["latest"], also=" long") if rows else ""
    content = f'{form}{shown}<p class="quiet">{escape(told)}</p>'
    return _section("latest", words["latest"], content)


_AROUND_BYTES: Final = 1_500
"""Of that block without its form and its rows."""
_NUMBERS: Final = frozenset({"input", "output", "list_price", "duration"})


def _latest_row(row: LedgerRow) -> str:
    moment = datetime.fromtimestamp(row.at, UTC).strftime("%m-%d %H:%M:%S")
    bad = ' class="bad"' if row.failed else ""
    texts = (row.model_used or row.model_asked, row.key, row.client)
    numbers = (
        compact(row.input_tokens),
        compact(row.output_tokens),
        dollars(row.list_price),
        f"{row.total_ms / 1000:.1f}",
    )
    return (
        f"<tr><td>{moment}<td{bad}>{row.status}"
        + "".join(f"<td>{escape(short(text or '–'))}" for text in texts)
        + "".join(f'<td class="n">{number}' for number in numbers)
        + f"<td{bad}>{escape(short(row.error.rpartition(' ')[2]))}"  # upstream's word, where there is one
    )


def _form(overview: Overview, words: Words) -> str:
    asked = overview.asked
    keys = {one.group[0]: one.name for one in overview.by_key_and_client}
    clients = sorted({one.group[1] for one in overview.by_key_and_client if one.group[1]})
    statuses = [(FAILED, words["any_failed"]), *((str(status), str(status)) for status in STATUSES)]
    boxes = (
        ("status", statuses, asked.status),
        ("key", sorted(keys.items(), key=lambda item: item[1])[:ROWS], asked.key),
        ("client", [(client, client) for client in clients[:ROWS]], asked.client),
    )
    fields = "".join(_select(name, words, options, chosen) for name, options, chosen in boxes)
    return f'<form method="get" action="/usage">{fields}<button>{escape(words["show"])}</button></form>'


def _select(name: str, words: Words, options: Iterable[tuple[str, str]], chosen: str) -> str:
    rows = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(short(told))}</option>'
        for value, told in [("", words["any"]), *options]
    )
    return f'<label>{escape(words[name])}<select name="{name}">{rows}</select></label>'


# ---- cache ----------------------------------------------------------------------------------------------------------


def cache_block(overview: Overview, words: Words) -> str:
    """Share and saving."""
    total = overview.total
    if not total.input_tokens:
        return _section("cache", words["cache"], f'<p class="quiet">{escape(words["cache_none"])}</p>')
    share = total.cached_tokens / total.input_tokens
    said = words["cache_share"].format(share=f"{share:.0%}")
    word = "cache_lost" if overview.saved < 0 else "cache_saved"
    saved = words[word].format(dollars=dollars(abs(overview.saved)))
    return _section("cache", words["cache"], f"{bar(share, title=said)}<p>{escape(said)} {escape(saved)}</p>")


# ---- parts ----------------------------------------------------------------------------------------------------------


def links(words: Words) -> str:
    """To the same in other forms."""
    rows = [
        (f"/usage?{urlencode({'format': form, 'by': 'day', 'since': '30d'})}", words[form]) for form in ("csv", "json")
    ]
    shown = "".join(f'<a href="{escape(href)}">{escape(word)}</a>' for href, word in [*rows, ("/", words["home"])])
    return f'<nav aria-label="{escape(words["links"])}">{shown}</nav>'


def span(seconds: float, words: Words) -> str:
    """`2 d 3 h`, `1 h 30 min`, `5 min`."""
    minutes = max(1, round(seconds / 60))
    days, hours, minutes = minutes // 1_440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h")] if days else [(hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {words[unit]}" for count, unit in parts if count)


def moment(seconds: float) -> str:
    """`2027-01-15 08:00`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _figures(one: LedgerSum) -> list[str]:
    counts = f"{one.requests:,}", f"{one.failed:,}", compact(one.input_tokens), compact(one.output_tokens)
    return [*counts, dollars(one.list_price), dollars(one.charged)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], title: str, *, first: int) -> str:
    """`first`: the place of the first column with numbers."""
    heads = "".join(f'<th scope="col"{_right(place >= first)}>{escape(text)}</th>' for place, text in enumerate(head))
    lines = "".join(
        "<tr>"
        + "".join(f"<td{_right(place >= first)}>{escape(short(text))}</td>" for place, text in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return _wide(f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>", title)


def _wide(table: str, title: str, *, also: str = "") -> str:
    """It may be wider than a phone: it is scrolled by itself, by keyboard too."""
    return f'<div class="wide{also}" role="group" tabindex="0" aria-label="{escape(title)}">{table}</div>'


def _right(numbers: bool) -> str:  # noqa: FBT001 - a class or none
    return ' class="n"' if numbers else ""


def short(text: str) -> str:
    """Cut, and said so."""
    return text if len(text) <= CUT else f"{text[: CUT - 1]}…"


def compact(number: float) -> str:
    """`950`, `1.2k`, `34k`, `5.6M`."""
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.1f}{unit}" if value < 10 else f"{value:,.0f}{unit}"
    return f"{number:.0f}"


def dollars(amount: float) -> str:
    """`$1.23`; less than a cent as far as it is something."""
    return f"${amount:,.4f}" if 0 < amount < 0.01 else f"${amount:,.2f}"


def _tokens(one: LedgerSum) -> float:
    return float(one.input_tokens + one.output_tokens)


def _price(one: LedgerSum) -> float:
    return one.list_price
