"""Checks of the names of models: settings that lead nowhere, and models that go soon."""

from datetime import date, timedelta

from claude_openai_proxy.doctor.report import Row
from claude_openai_proxy.service.models import ModelCatalog, Retirement

CHECK = "Models"
SOON = timedelta(days=30)


async def models_row(catalog: ModelCatalog, today: date) -> Row:
    """What each alias stands for; what of it is wrong, or goes within a month of `today`."""
    try:
        aliases = await catalog.aliases()
        wrong = await catalog.unresolved()
        going = await catalog.retiring(today, within=SOON)
    finally:
        await catalog.aclose()
    found = ", ".join(f"{alias} -> {id_}" for alias, id_ in aliases.items())
    told = [_told(one) for one in going]
    if wrong or any(one.aliases for one in going):
        return Row(CHECK, "warning", found, " ".join([*wrong, *told, "See: claude-openai-proxy models"]))
    return Row(CHECK, "ok", ". ".join([found, *told]))


def _told(one: Retirement) -> str:
    led = f"; {', '.join(one.aliases)} lead{'' if len(one.aliases) > 1 else 's'} there" if one.aliases else ""
    return f"{one.id} is retired on {one.day.isoformat()}{led}."
