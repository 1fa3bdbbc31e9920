"""What one installation has for itself: its secret, its operator's credential, and whether anything was ever kept.

Apart from `stores.py`, so that a command that only asks a running server imports no store.
"""

import secrets
from collections.abc import Callable
from typing import Final

from claude_openai_proxy.service.client_keys import OPERATOR_MARK
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.sealing import KEY_BYTES, OPERATOR_FILE, generated_key, key_of

DATABASE: Final = "state.db"


def is_first_start(settings: Settings) -> bool:
    """Asked before anything is opened: nothing has ever been kept here, and something will be."""
    return settings.storage.kind == "sqlite" and not (settings.storage.directory / DATABASE).exists()


def installation_key(settings: Settings) -> Callable[[], bytes]:
    """The secret of this installation: STORAGE_KEY, else the one kept in STATE_DIR, else this process's own.

    What is returned raises `StorageRefusedError` where the kept one must not be used, OSError as the system does.
    """
    if settings.storage.key is not None:
        given = key_of(settings.storage.key.reveal())
        return lambda: given
    if settings.storage.kind == "memory":
        passing = secrets.token_bytes(KEY_BYTES)
        return lambda: passing
    return lambda: generated_key(settings.storage.directory)


def operator_credential(settings: Settings) -> str:
    """What shows a running server that who asks may read its STATE_DIR; "" where there is nothing to show."""
    if settings.storage.kind == "memory":
        return ""
    try:
        return OPERATOR_MARK + generated_key(settings.storage.directory, OPERATOR_FILE).hex()
    except (OSError, StorageRefusedError):
        return ""


def may_be_stored(settings: Settings) -> bool:
    """Whether there is, or may be, a database with keys: what cannot be looked at may be one."""
    if settings.storage.kind != "sqlite":
        return settings.storage.kind == "postgresql"
    try:
        (settings.storage.directory / DATABASE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
