"""What a client is to be pointed at: the running proxy, its models and what each can do."""

from dataclasses import dataclass
from typing import Final

ID: Final = "claude-openai-proxy"
"""The name that we go by inside other programs' files."""
TITLE: Final = "Claude OpenAI Proxy"
KEY_VARIABLE: Final = "CLAUDE_OPENAI_PROXY_KEY"
"""Where clients that read variables look for their key: a file may be committed or synced."""
ANY_KEY: Final = "any"
"""What is written where the proxy asks for no key, and the client for some."""


CONTAINER_HOST: Final = "host.docker.internal"
"""What this machine is called inside its containers."""


def from_a_container(base_url: str) -> str:
    """The address by which a container of this machine reaches it."""
    return base_url.replace("://localhost", f"://{CONTAINER_HOST}")


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A row of `/v1/models`. Token counts; 0 where it is not told."""

    id: str
    title: str
    context: int
    output: int
    images: bool
    alias: bool


@dataclass(frozen=True, slots=True)
class Target:
    """`base_url` ends with `/v1`; `key` is "" where the proxy asks for none; `model` is the one to begin with."""

    base_url: str
    key: str
    models: tuple[OfferedModel, ...]
    model: OfferedModel

    @property
    def root(self) -> str:
        """Without `/v1`."""
        return self.base_url.removesuffix("/v1")

    @property
    def offered(self) -> tuple[OfferedModel, ...]:
        """What goes into a client's menu: the one asked for, and the aliases, which outlive the models behind them."""
        return (self.model, *(model for model in self.models if model.alias and model != self.model))
