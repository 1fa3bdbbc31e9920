"""What outlives a request: where it is, whether it can be used, who has a key. Makes nothing that is not there."""

import time
from typing import Final

from claude_openai_proxy.app.installation import DATABASE, may_be_stored
from claude_openai_proxy.app.keys import client_keys
from claude_openai_proxy.app.stores import stores
from claude_openai_proxy.doctor.report import Row, failed
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.storage.reasoning import NO_FIGURES, ReasoningFigures

CHECK: Final = "Storage"

_MEGABYTE: Final = 1024**2
_MEMORY: Final = "nothing is kept beyond the process (STATE=memory)"
_HEALS: Final = "Requests that need nothing of it go on; it heals by itself once the database can be used."


async def storage_row(settings: Settings) -> Row:
    """Opens the file where there is one."""
    if settings.storage.kind == "memory":
        return Row(CHECK, "ok", _MEMORY)
    path = settings.storage.directory / DATABASE
    if settings.storage.kind == "sqlite" and not path.exists():
        return Row(CHECK, "ok", f"{path}: nothing kept yet")
    kept = stores(settings, told=lambda _: None)
    figures = NO_FIGURES
    try:
        if refusal := await kept.open():
            return failed(CHECK, refusal)
        if trouble := kept.state.trouble:
            return failed(CHECK, trouble, status="warning", fix=_HEALS)
        figures = await kept.reasoning.figures()
    finally:
        await kept.aclose()
    kept_there = _reasoning(figures, time.time())
    if settings.storage.kind == "postgresql":
        return Row(CHECK, "ok", f"{kept.state.where}; {kept_there}")
    size = sum(file.stat().st_size for file in path.parent.glob(f"{DATABASE}*"))
    return Row(CHECK, "ok", f"{path}, {size / _MEGABYTE:.1f} MB; {kept_there}")


async def key_count(settings: Settings) -> int | None:
    """The client keys that open the door now, configured and stored; None where the stored ones cannot be read."""
    if not may_be_stored(settings):
        return len(settings.client_keys)
    kept = stores(settings, told=lambda _: None)
    keys = client_keys(settings, kept)
    try:
        await keys.refresh()
        return None if keys.trouble else keys.count
    finally:
        await keys.aclose()
        await kept.aclose()


def _reasoning(figures: ReasoningFigures, now: float) -> str:
    if not figures.turns:
        return "no turn with thinking"
    hours = (now - figures.oldest) / 3_600
    return f"turns with thinking: {figures.turns}, {figures.bytes / _MEGABYTE:.1f} MB, the oldest {hours:.1f} hours old"
