"""What a person should know of a configuration that can be used: names that nothing reads, keys that lie open."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from claude_openai_proxy.settings.dotenv import DotenvFile
from claude_openai_proxy.settings.network import NETWORK_VARIABLES, unused_socks_proxy
from claude_openai_proxy.settings.table import SETTINGS
from claude_openai_proxy.settings.values import ClientKey

SHORTEST_PUBLIC_KEY = 16
"""Characters of a client key that strangers may try to guess."""

_LIKE = 0.75
_FILES = {setting.file_variable for setting in SETTINGS if setting.secret}
_KNOWN = {setting.name for setting in SETTINGS} | _FILES
_ENVIRONMENT_ONLY = {
    *NETWORK_VARIABLES,
    *(name.lower() for name in NETWORK_VARIABLES),
    *(f"ANTHROPIC_DEFAULT_{line}_MODEL" for line in ("OPUS", "SONNET", "HAIKU", "FABLE")),
    *("CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_API_KEY_HELPER_TTL_MS"),
    *("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"),
}


def warnings(
    files: Sequence[DotenvFile], public_keys: Sequence[ClientKey], environment: Mapping[str, str]
) -> Iterator[str]:
    """A sentence each, none with a secret in it. `public_keys` are what other machines may try to guess."""
    for file in files:
        yield from _names(file)
        yield from _open_to_all(file)
    yield from _short_keys(public_keys)
    if unused := unused_socks_proxy(environment):
        yield unused


def _names(file: DotenvFile) -> Iterator[str]:
    for name, line in file.lines.items():
        if name in _ENVIRONMENT_ONLY:
            yield f"{name} in {file.name} (line {line}) has no effect: it is read from the environment only."
        elif name not in _KNOWN and (meant := get_close_matches(name.upper(), _KNOWN, n=1, cutoff=_LIKE)):
            yield f"{name} in {file.name} (line {line}) is not a setting: did you mean {meant[0]}?"


def _open_to_all(file: DotenvFile) -> Iterator[str]:
    secrets = [setting.name for setting in SETTINGS if setting.secret and file.variables.get(setting.name)]
    if secrets and file.open_to_all:
        yield f"Every user of this machine can read {file.name}, which has {', '.join(secrets)}: chmod 600 {file.name}"


def _short_keys(keys: Sequence[ClientKey]) -> Iterator[str]:
    if short := [key.name for key in keys if len(key.secret.reveal()) < SHORTEST_PUBLIC_KEY]:
        yield (
            f"PROXY_API_KEYS: {', '.join(short)} has fewer than {SHORTEST_PUBLIC_KEY} characters, and other machines "
            "can try to guess it. Take a long random one: openssl rand -hex 24"
        )
