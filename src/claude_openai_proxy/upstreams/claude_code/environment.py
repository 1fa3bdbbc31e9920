"""What a Claude Code process is told: its command line and its environment. Nothing is inherited."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ARGUMENTS: Final = (
    "-p",
    *("--tools", ""),
    *("--setting-sources", ""),
    "--strict-mcp-config",
    "--no-session-persistence",
    *("--input-format", "stream-json"),
    *("--output-format", "stream-json"),
    "--include-partial-messages",
    "--verbose",
    *("--model", "sonnet"),
    # A tool the model calls is asked about and never answered: nothing runs, and the call is the client's to make.
    *("--permission-prompt-tool", "stdio"),
    # Spent with the first answer: whatever the CLI would send next on its own, it does not send.
    *("--max-budget-usd", "0.0000001"),
)

FIXED: Final = (
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_AGENT_SDK_MCP_NO_PREFIX", "1"),
    ("ENABLE_TOOL_SEARCH", "false"),
    ("CLAUDE_CODE_MAX_MCP_DESCRIPTION_LENGTH", "1000000"),
    ("CLAUDE_CODE_MAX_RETRIES", "0"),
    ("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1"),
    ("DISABLE_AUTO_COMPACT", "1"),
    ("CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP", "1"),
    ("CLAUDE_CODE_DISABLE_REFUSAL_RETRY", "1"),
    ("CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK", "1"),
    # With its experimental headers the CLI repeats a request that was refused with 400.
    ("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS", "1"),
)

_ALLOWED: Final = frozenset(
    {
        # the person and the machine
        *("HOME", "USER", "LOGNAME", "PATH", "LANG", "LANGUAGE", "TZ", "SHELL", "USERPROFILE", "SystemRoot"),
        *("DBUS_SESSION_BUS_ADDRESS", "CLAUDE_CONFIG_DIR"),
        # the way out
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "CLAUDE_CODE_CERT_STORE"),
        *("CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE"),
        # logins
        *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_BASE_URL"),
        *("ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_BETAS", "CLAUDE_CODE_API_KEY_HELPER_TTL_MS"),
        # providers
        *("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_SKIP_BEDROCK_AUTH", "ANTHROPIC_BEDROCK_BASE_URL"),
        *("CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_SKIP_VERTEX_AUTH", "ANTHROPIC_VERTEX_BASE_URL"),
        *("ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"),
        *("GCLOUD_PROJECT", "CLOUDSDK_CONFIG"),
        *("CLAUDE_CODE_USE_FOUNDRY", "CLAUDE_CODE_SKIP_FOUNDRY_AUTH", "ANTHROPIC_FOUNDRY_API_KEY"),
        *("ANTHROPIC_FOUNDRY_BASE_URL", "ANTHROPIC_FOUNDRY_RESOURCE"),
        *("CLAUDE_CODE_USE_MANTLE", "CLAUDE_CODE_USE_ANTHROPIC_AWS", "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD"),
    }
)
_ALLOWED_PREFIXES: Final = ("LC_", "XDG_", "AWS_", "AZURE_", "VERTEX_REGION_", "ANTHROPIC_DEFAULT_")


def process_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables of `given` that a Claude Code process may see, and the fixed ones of the proxy."""
    allowed = {name: value for name, value in given.items() if name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES)}
    return {**allowed, **dict(FIXED)}


def config_directory(environment: Mapping[str, str]) -> Path | None:
    """Where the CLI keeps its files; None where the environment names no home."""
    if configured := environment.get("CLAUDE_CONFIG_DIR"):
        return Path(configured)
    home = environment.get("HOME")
    return Path(home) / ".claude" if home else None
