"""Clients whose files are written: what goes where (each program's own documentation)."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from claude_openai_proxy.setup import jsonc, yaml_text
from claude_openai_proxy.setup.block import with_block, without_block
from claude_openai_proxy.setup.client import PROMPT, WrittenClient, ours_alone
from claude_openai_proxy.setup.cline import CLINE
from claude_openai_proxy.setup.codex import CODEX
from claude_openai_proxy.setup.librechat import LIBRECHAT
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.named_items import named, without_items
from claude_openai_proxy.setup.target import ANY_KEY, ID, KEY_VARIABLE, TITLE, OfferedModel, Target
from claude_openai_proxy.setup.text_edit import EditError, checked
from claude_openai_proxy.setup.user_file import Edit

_GOOSE: Final = "claude_openai_proxy"
_PROVIDER: Final = ("provider", ID)
_ZED: Final = ("language_models", "openai_compatible", ID)
_CONTINUE_HEAD: Final = "name: My assistant\nversion: 1.0.0\nschema: v1\n"


def _export(target: Target) -> Sequence[str]:
    """Of clients that read our variable."""
    if not target.key:
        return ()
    return (f"The client reads the key from the environment: export {KEY_VARIABLE}=<one of the proxy's client keys>",)


# ---- opencode and Kilo ----------------------------------------------------------------------------------------------


def _first_there(*paths: Path) -> Path:
    return next((path for path in paths if path.exists()), paths[0])


def _opencode_file(machine: Machine) -> Path:
    return _first_there(machine.config("opencode", "opencode.json"), machine.config("opencode", "opencode.jsonc"))


def _kilo_file(machine: Machine) -> Path:
    return _first_there(machine.config("kilo", "kilo.json"), machine.config("kilo", "kilo.jsonc"))


def _provider(target: Target) -> Edit:
    models = {
        model.id: {
            "name": model.title,
            "tool_call": True,
            "attachment": model.images,
            "reasoning": True,
            "limit": {"context": model.context, "output": model.output},
        }
        for model in target.offered
    }
    key = f"{{env:{KEY_VARIABLE}}}" if target.key else ANY_KEY
    entry = {
        "npm": "@ai-sdk/openai-compatible",
        "name": TITLE,
        "options": {"baseURL": target.base_url, "apiKey": key},
        "models": models,
    }
    return lambda text: jsonc.with_entry(text, _PROVIDER, entry)


# ---- Continue, llm --------------------------------------------------------------------------------------------------


def _continue_models(target: Target) -> Edit:
    def edit(text: str) -> str:
        text = text if text.strip() else _CONTINUE_HEAD
        for model in target.offered:
            text = yaml_text.with_item(text, ("models",), _continue_model(target, model), by="name")
        return text

    return edit


def _continue_model(target: Target, model: OfferedModel) -> dict[str, object]:
    return {
        "name": named(model),
        "provider": "openai",
        "model": model.id,
        "apiBase": target.base_url,
        "apiKey": f"${{{{ secrets.{KEY_VARIABLE} }}}}" if target.key else ANY_KEY,
        "roles": ["chat", "edit", "apply"],
        "capabilities": ["tool_use", *(["image_input"] if model.images else [])],
        "useResponsesApi": False,
        "defaultCompletionOptions": {"contextLength": model.context, "maxTokens": model.output},
    }


def _continue_after(target: Target) -> Sequence[str]:
    if not target.key:
        return ()
    return (
        f"Continue reads the key from ~/.continue/.env: write {KEY_VARIABLE}=<one of the proxy's client keys> there.",
    )


def _llm_file(machine: Machine) -> Path:
    own = machine.environment.get("LLM_USER_PATH")
    folder = Path(own) if own else machine.application_support("io.datasette.llm")
    return folder / "extra-openai-models.yaml"


def _llm_models(target: Target) -> Edit:
    def edit(text: str) -> str:
        for model in target.offered:
            item: dict[str, object] = {
                "model_id": f"{ID}/{model.id}",
                "model_name": model.id,
                "api_base": target.base_url,
                "supports_tools": True,
                "supports_schema": True,
                "vision": model.images,
            }
            item |= {"api_key_name": ID} if target.key else {}
            text = yaml_text.with_item(text, (), item, by="model_id")
        return text

    return edit


# ---- goose, crush ---------------------------------------------------------------------------------------------------


def _goose_provider(target: Target) -> Edit:
    document = {
        "name": _GOOSE,
        "engine": "openai",
        "display_name": TITLE,
        "description": "Claude",
        "api_key_env": KEY_VARIABLE,
        "base_url": target.base_url,
        "models": [{"name": model.id, "context_limit": model.context} for model in target.offered],
        "supports_streaming": True,
        "requires_auth": bool(target.key),
    }
    return lambda _: f"{json.dumps(document, indent=2)}\n"


def _crush_lines(target: Target) -> Edit:
    """The file is executed: every value is quoted, so that none of them is."""
    key = f'"${KEY_VARIABLE}"' if target.key else ANY_KEY
    lines = [f"provider add {ID} --type openai-compat --base-url {shlex.quote(target.base_url)} --api-key {key}"]
    lines += [
        f"model add {shlex.quote(f'{ID}/{model.id}')} --name {shlex.quote(model.title)} "
        f"--context-window {model.context} --default-max-tokens {model.output}"
        for model in target.offered
    ]

    def edit(text: str) -> str:
        try:
            shlex.split(without_block(text), comments=True)
        except ValueError as error:  # our lines would become part of a text that does not end
            raise EditError(f"The file is no shell script that can be read here: {error}.") from error
        return with_block(text, lines)

    return edit


def _aider_file(machine: Machine) -> Path:
    return machine.home / ".aider.conf.yml"


def _aider_address(target: Target) -> Edit:
    """The address, and no model: that would be the default of every project."""
    members = {"openai-api-base": target.base_url} | ({} if target.key else {"openai-api-key": ANY_KEY})
    lines = [f"{name}: {json.dumps(value)}" for name, value in members.items()]

    def edit(text: str) -> str:
        known = yaml_text.load(without_block(text)) or {}
        if not isinstance(known, dict):
            raise EditError("The file is not a YAML mapping.")
        if taken := next((name for name in members if name in known), ""):
            raise EditError(f"{taken} is set already, to something of your own.")
        return checked(with_block(text, lines), yaml_text.load, {**known, **members})

    return edit


def _aider_after(target: Target) -> Sequence[str]:
    key = ("aider reads the key from the environment: export OPENAI_API_KEY=<one of the proxy's client keys>",)
    return (*(key if target.key else ()), f"Then: aider --model openai/{target.model.id}")


# ---- editors --------------------------------------------------------------------------------------------------------


def _zed_file(machine: Machine) -> Path:
    if machine.platform == "win32":
        return machine.application_support("Zed", "settings.json")
    return machine.config("zed", "settings.json")


def _zed_provider(target: Target) -> Edit:
    models = [
        {
            "name": model.id,
            "display_name": model.title,
            "max_tokens": model.context,
            "max_output_tokens": model.output,
            "capabilities": {
                "tools": True,
                "images": model.images,
                "parallel_tool_calls": True,
                "prompt_cache_key": False,
                "chat_completions": True,
                "interleaved_reasoning": True,
            },
        }
        for model in target.offered
    ]
    entry = {"api_url": target.base_url, "available_models": models}
    return lambda text: jsonc.with_entry(text, _ZED, entry)


def _zed_after(target: Target) -> Sequence[str]:
    key = "one of the proxy's client keys" if target.key else ANY_KEY
    return (f"Zed wants a key, from its settings window or from the variable CLAUDE_OPENAI_PROXY_API_KEY: {key}",)


def _vscode_file(machine: Machine) -> Path:
    return machine.application_support("Code", "User", "chatLanguageModels.json")


def _vscode_endpoint(target: Target) -> Edit:
    models = [
        {
            "id": model.id,
            "name": model.title,
            "url": f"{target.base_url}/chat/completions",
            "toolCalling": True,
            "vision": model.images,
            "thinking": True,
            "maxInputTokens": model.context,
            "maxOutputTokens": model.output,
        }
        for model in target.offered
    ]
    element: dict[str, object] = {
        "name": TITLE,
        "vendor": "customendpoint",
        "apiKey": ANY_KEY,
        "apiType": "chat-completions",
        "models": models,
    }
    return lambda text: jsonc.with_element(text, element, by="name")


def _vscode_after(target: Target) -> Sequence[str]:
    restart = "New models may show only after a restart of VS Code (1.122 or newer)."
    if not target.key:
        return (restart,)
    return (
        restart,
        f"Put one of the proxy's client keys there yourself, in place of {ANY_KEY!r}: settings are synced.",
    )


WRITTEN: Final = (
    CODEX,
    WrittenClient(
        "opencode", "opencode",
        installed=lambda machine: machine.program("opencode") is not None,
        file=_opencode_file, write=_provider, after=_export,
        remove=lambda text: jsonc.without_entry(text, _PROVIDER),
        command=lambda target, _: ("opencode", "run", "-m", f"{ID}/{target.model.id}", PROMPT),
    ),
    WrittenClient(
        "kilo", "Kilo Code",
        installed=lambda machine: machine.program("kilo") is not None,
        file=_kilo_file, write=_provider, after=_export,
        remove=lambda text: jsonc.without_entry(text, _PROVIDER),
        # Its agent `ask` may neither run nor write anything, whatever the user's own rules are.
        command=lambda target, _: ("kilo", "run", "--agent", "ask", "-m", f"{ID}/{target.model.id}", PROMPT),
    ),
    CLINE,
    WrittenClient(
        "continue", "Continue",
        installed=lambda machine: machine.program("cn") is not None or (machine.home / ".continue").is_dir(),
        file=lambda machine: machine.home / ".continue" / "config.yaml", write=_continue_models,
        remove=without_items(("models",), "name"), after=_continue_after,
        command=lambda _, file: ("cn", "--config", str(file), "-p", PROMPT),
    ),
    WrittenClient(
        "llm", "llm",
        installed=lambda machine: machine.program("llm") is not None,
        file=_llm_file, write=_llm_models, remove=without_items((), "model_id"),
        after=lambda target: (f"Give llm the key: llm keys set {ID}",) if target.key else (),
        command=lambda target, _: (
            "llm", "prompt", "-m", f"{ID}/{target.model.id}", "-T", "llm_time",
            "Call the tool llm_time, then say ready",
        ),
    ),
    WrittenClient(
        "aider", "aider",
        installed=lambda machine: machine.program("aider") is not None,
        file=_aider_file, write=_aider_address, remove=without_block, after=_aider_after,
        command=lambda target, file: (
            "aider", "--config", str(file), "--model", f"openai/{target.model.id}", "--no-git", "--no-check-update",
            "--analytics-disable", "--no-show-model-warnings", "--message", PROMPT,
        ),
    ),
    WrittenClient(
        "goose", "goose",
        installed=lambda machine: machine.program("goose") is not None,
        file=lambda machine: machine.config("goose", "custom_providers", f"{_GOOSE}.json"),
        write=_goose_provider, remove=ours_alone, after=_export,
    ),
    WrittenClient(
        "crush", "Crush",
        installed=lambda machine: machine.program("crush") is not None,
        file=lambda machine: machine.config("crush", "crushrc"), write=_crush_lines, remove=without_block,
        after=_export,
    ),
    LIBRECHAT,
    WrittenClient(
        "zed", "Zed",
        installed=lambda machine: _zed_file(machine).parent.is_dir(),
        file=_zed_file, write=_zed_provider, after=_zed_after,
        remove=lambda text: jsonc.without_entry(text, _ZED),
    ),
    WrittenClient(
        "vscode", "VS Code",
        installed=lambda machine: _vscode_file(machine).parent.is_dir(),
        file=_vscode_file, write=_vscode_endpoint, after=_vscode_after,
        remove=lambda text: jsonc.without_element(text, by="name", value=TITLE),
    ),
)  # fmt: skip
