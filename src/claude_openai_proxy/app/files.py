"""The files of clients, as the settings ask for them."""

import os
import time

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.settings import Settings


def client_files(settings: Settings, kept: Stores) -> Files:
    """Files that are uploaded, wherever they are kept."""
    return Files(
        store=kept.files,
        room=settings.storage.files_mb * 1024 * 1024,
        new_id=lambda: f"file-{os.urandom(12).hex()}",
        wall_clock=time.time,
    )
