"""Every setting, once: flag, then environment, then `.env`, then default."""

from claude_openai_proxy.settings.errors import SettingsError
from claude_openai_proxy.settings.loading import Flags, Settings, confirmation, load_settings
from claude_openai_proxy.settings.network import NetworkSettings
from claude_openai_proxy.settings.secret import Secret
from claude_openai_proxy.settings.table import SETTINGS, Setting
from claude_openai_proxy.settings.values import LOCALHOST, ClientKey

__all__ = [
    "LOCALHOST",
    "SETTINGS",
    "ClientKey",
    "Flags",
    "NetworkSettings",
    "Secret",
    "Setting",
    "Settings",
    "SettingsError",
    "confirmation",
    "load_settings",
]
