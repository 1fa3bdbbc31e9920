"""What each route answers, as a script."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.earlier_thinking import as_read
from claude_openai_proxy.simulator.loose_json import JSONObject, compact
from claude_openai_proxy.simulator.model_info import model_info, model_page
from claude_openai_proxy.simulator.model_table import MODELS, Model, model_named
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.simulator.tokens import prompt_tokens

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")


@dataclass(slots=True)
class Account:
    """What the caller may do. Public: a test may change it while the simulator runs."""

    models: Sequence[Model] = MODELS
    accept_keys: Collection[str] | None = None
    """None: every key."""
    refuse_keys: Collection[str] = field(default_factory=set)
    not_in_plan: Collection[str] = field(default_factory=set)
    """Ids or aliases of models that exist, but not for this login."""


def refused_login(request: ReceivedRequest, account: Account) -> Script | None:
    """401 for a request without a key or with one that is refused."""
    key = request.headers.get("x-api-key")
    token = request.headers.get("authorization", "").partition("Bearer ")[2].strip()
    if not key and not token:
        return Script.error(401, "x-api-key header is required")
    given = key or token
    accepted = account.accept_keys is None or given in account.accept_keys
    if accepted and given not in account.refuse_keys:
        return None
    return Script.error(401, "invalid x-api-key" if key else "Invalid bearer token")


def refused_version(request: ReceivedRequest) -> Script | None:
    """400 for a request that does not say which version of the API it means."""
    version = request.headers.get("anthropic-version")
    if version is None:
        return Script.error(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        return Script.error(400, f'anthropic-version: "{version}" is not a valid version')
    return None


def asked_of(request: ReceivedRequest, account: Account) -> Asked:
    """A request for a message, or for a count of tokens, as the rules look at it."""
    model = model_named(request.model, account.models)
    return Asked(
        parsed=request.parsed,
        size=len(request.body),
        version=request.headers.get("anthropic-version", ""),
        betas=request.headers.get("anthropic-beta", "") or ("beta" if "beta=true" in request.query else ""),
        model=model,
        counting=request.path.endswith("/count_tokens"),
        not_in_plan=frozenset(account.not_in_plan),
        tokens=prompt_tokens(as_read(request.json, model)),
    )


def json_answer(body: JSONObject) -> Script:
    """200 with this body."""
    return Script(body=compact(body).encode(), content_type="application/json")


def other_route(request: ReceivedRequest, account: Account) -> Script:
    """Every route but the two that take messages."""
    offered = [model for model in account.models if not {model.id, model.alias} & set(account.not_in_plan)]
    match request.method, request.path:
        case "GET" | "HEAD", "/":
            return json_answer({"service": "simulated Messages API"})
        case "GET", "/v1/models":
            return json_answer(model_page(offered, request.query))
        case "GET", path if path.startswith("/v1/models/"):
            name = path.removeprefix("/v1/models/")
            model = model_named(name, offered)
            return json_answer(model_info(model)) if model else Script.error(404, f"model: {name}")
        case _:
            return Script.error(404, "Not found")
