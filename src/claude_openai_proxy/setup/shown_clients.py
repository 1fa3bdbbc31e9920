"""Clients that only their users can set up: what to enter where."""

from collections.abc import Sequence
from typing import Final

from claude_openai_proxy.setup.client import ShownClient
from claude_openai_proxy.setup.target import ANY_KEY, Target


def _key(target: Target) -> str:
    return "<one of the proxy's client keys>" if target.key else ANY_KEY


def _values(target: Target) -> list[str]:
    return [f"Base URL: {target.base_url}", f"API key:  {_key(target)}", f"Model:    {target.model.id}"]


def _shown(name: str, title: str, where: str, *notes: str) -> ShownClient:
    def how(target: Target) -> Sequence[str]:
        return (where, *_values(target), *notes)

    return ShownClient(name, title, how)


def _sdk(target: Target) -> Sequence[str]:
    return (
        f"export OPENAI_BASE_URL={target.base_url} OPENAI_API_KEY={_key(target)}",
        f'client.chat.completions.create(model="{target.model.id}", …)',
    )


def _langchain(target: Target) -> Sequence[str]:
    return (f'ChatOpenAI(model="{target.model.id}", base_url="{target.base_url}", api_key="{_key(target)}")',)


def _vercel(target: Target) -> Sequence[str]:
    settings = f'name: "claude", baseURL: "{target.base_url}", apiKey: "{_key(target)}"'
    return (f"createOpenAICompatible({{ {settings}, includeUsage: true, supportsStructuredOutputs: true }})",)


def _claude_code(target: Target) -> Sequence[str]:
    return (f"export ANTHROPIC_BASE_URL={target.root} ANTHROPIC_AUTH_TOKEN={_key(target)}",)


_CONTAINER: Final = (
    "From a container: host.docker.internal instead of localhost, and ALLOWED_HOSTS=host.docker.internal."
)

SHOWN: Final = (
    ShownClient("claude-code", "Claude Code, Anthropic's SDKs", _claude_code, copied=lambda to: _claude_code(to)[0]),
    ShownClient("openai", "openai SDKs", _sdk, copied=lambda to: _sdk(to)[0]),
    ShownClient("langchain", "LangChain", _langchain, copied=lambda to: _langchain(to)[0]),
    ShownClient("vercel", "Vercel AI SDK", _vercel, copied=lambda to: _vercel(to)[0]),
    _shown(
        "open-webui", "Open WebUI", "Admin Settings, Connections, OpenAI API:", _CONTAINER,
        "Or by its API: setup open-webui --at http://localhost:8080, an administrator's key in OPEN_WEBUI_API_KEY.",
    ),
    _shown("xcode", "Xcode", "Settings, Intelligence, Add a Model Provider, Locally hosted: the port; or the values:"),
    _shown("jetbrains", "JetBrains AI Assistant", "Settings, Tools, AI Assistant, Providers & API keys:"),
    _shown("n8n", "n8n", "Credential OpenAI; in the node switch Use Responses API off:", _CONTAINER),
    _shown("obsidian", "Obsidian Copilot", "Settings, Copilot, BYOK, Add a custom provider:"),
    _shown(
        "home-assistant", "Home Assistant", "Community integration Extended OpenAI Conversation:",
        "It calls from its own machine: it needs this one's address, PROXY_API_KEYS and ALLOWED_HOSTS.",
    ),
    _shown(
        "cursor", "Cursor", "Settings, Models, Override OpenAI Base URL:",
        "Its requests come from Cursor's servers: localhost cannot work.",
        "It needs a public https address, a client key, and names of its own for the models.",
    ),
)  # fmt: skip
