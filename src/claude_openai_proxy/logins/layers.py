"""Where a login may stand, in which order, and what stands there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from claude_openai_proxy.trust import Trust

_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Layer:
    """The variables of one source; `source` is what a person calls it. `problem` says why it could not be read."""

    source: str
    trust: Trust
    variables: Mapping[str, str] = field(repr=False)
    api_key_helper: str = field(default="", repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One variable and where it stands."""

    name: str
    text: str = field(repr=False)
    source: str
    trust: Trust

    def __str__(self) -> str:
        return f"{self.name} from {self.source}"


def find_variable(name: str, layers: Iterable[Layer]) -> Found | None:
    """From the first layer that has it; empty counts as absent."""
    for layer in layers:
        if text := layer.variables.get(name, "").strip():
            return Found(name, text, layer.source, layer.trust)
    return None


def find_switch(names: Iterable[str], layers: tuple[Layer, ...]) -> Found | None:
    """The first of these variables that is switched on."""
    found = (find_variable(name, layers) for name in names)
    return next((one for one in found if one and one.text.lower() in _TRUE), None)


def find_helper(layers: Iterable[Layer]) -> Found | None:
    """The `apiKeyHelper` command."""
    for layer in layers:
        if layer.api_key_helper.strip():
            return Found("apiKeyHelper", layer.api_key_helper, layer.source, layer.trust)
    return None
