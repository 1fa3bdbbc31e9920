"""Where what outlives a request is kept."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from claude_openai_proxy.settings import table
from claude_openai_proxy.settings.directories import state_directory
from claude_openai_proxy.settings.secret import Secret
from claude_openai_proxy.settings.sources import Sources
from claude_openai_proxy.settings.values import KeptKind, StateKind


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """`directory` need not exist yet; without a `key` one is made there."""

    kind: StateKind
    directory: Path
    files_mb: int = 1024
    """All uploaded files together, in MiB."""
    key: Secret | None = field(default=None, repr=False)
    reasoning: KeptKind = "sqlite"
    reasoning_seconds: float = 86_400.0
    responses: KeptKind = "sqlite"
    ledger_days: int = 400


def read_storage(
    found: Sources, environment: Mapping[str, str], *, demo: bool, platform: str = sys.platform
) -> StorageSettings:
    """The demo keeps nothing."""
    kind, directory = found.value(table.STATE), found.value(table.STATE_DIR)
    return StorageSettings(
        kind="memory" if demo else kind,
        directory=Path(directory).expanduser().absolute() if directory else state_directory(environment, platform),
        files_mb=found.value(table.FILES_MB),
        key=found.value(table.STORAGE_KEY),
        reasoning=found.value(table.REASONING_STORE),
        reasoning_seconds=found.value(table.REASONING_TTL),
        responses=found.value(table.RESPONSES_STORE),
        ledger_days=found.value(table.LEDGER_DAYS),
    )
