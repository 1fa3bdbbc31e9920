"""Where what outlives a request is kept."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from claude_openai_proxy.settings import table
from claude_openai_proxy.settings.directories import state_directory
from claude_openai_proxy.settings.secret import Secret
from claude_openai_proxy.settings.sources import Sources
from claude_openai_proxy.settings.values import KeptKind, StateKind


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """`directory` need not exist yet; without a `key` one is made there."""

    kind: Literal[StateKind, "postgresql"]
    directory: Path
    files_mb: int = 1024
    """All uploaded files together, in MiB."""
    key: Secret | None = field(default=None, repr=False)
    database: Secret | None = field(default=None, repr=False)
    """Where `kind` is postgresql: its URL."""
    reasoning: KeptKind = "sqlite"
    reasoning_seconds: float = 86_400.0
    responses: KeptKind = "sqlite"
    ledger_days: int = 400


def read_storage(
    found: Sources, environment: Mapping[str, str], *, demo: bool, platform: str = sys.platform
) -> StorageSettings:
    """The demo keeps nothing."""
    kind, directory = found.value(table.STATE), found.value(table.STATE_DIR)
    database, key = found.value(table.DATABASE_URL), found.value(table.STORAGE_KEY)
    shared = database is not None and not demo
    if shared and kind == "memory":
        found.problems.append("STATE=memory keeps nothing, DATABASE_URL names a database: keep one of them.")
    if shared and key is None:
        found.problems.append(
            f"DATABASE_URL (from {found.used['DATABASE_URL']}) needs STORAGE_KEY, the same for every proxy on that "
            "database. If the variable is another program's, set DATABASE_URL=none."
        )
    return StorageSettings(
        kind="memory" if demo else "postgresql" if shared else kind,
        directory=Path(directory).expanduser().absolute() if directory else state_directory(environment, platform),
        files_mb=found.value(table.FILES_MB),
        key=key,
        database=database if shared else None,
        reasoning=found.value(table.REASONING_STORE),
        reasoning_seconds=found.value(table.REASONING_TTL),
        responses=found.value(table.RESPONSES_STORE),
        ledger_days=found.value(table.LEDGER_DAYS),
    )
