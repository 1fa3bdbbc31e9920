"""A request as the complaints look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from claude_openai_proxy.simulator.loose_json import JSONObject, list_in, object_in, objects_in, text_in
from claude_openai_proxy.simulator.model_table import Model


@dataclass(frozen=True, slots=True)
class Turn:
    """Consecutive messages of one role, which the API joins; `blocks` with their paths (`messages.1.content.0`)."""

    role: str
    path: str
    blocks: list[tuple[str, JSONObject]]

    def of_type(self, *types: str) -> list[tuple[str, JSONObject]]:
        """The blocks of these types."""
        return [(path, block) for path, block in self.blocks if block.get("type") in types]


@dataclass(frozen=True)
class Asked:
    """`parsed` is the body as JSON; `model` is None where no model of that name exists."""

    parsed: object
    size: int = 0
    version: str = "2023-06-01"
    betas: str = ""
    model: Model | None = None
    counting: bool = False
    """The request only asks for a count of tokens."""
    not_in_plan: frozenset[str] = frozenset()
    tokens: int = 0
    """Size of the prompt in tokens."""

    @cached_property
    def body(self) -> JSONObject:
        """The body, where it is an object."""
        return object_in(self.parsed)

    @cached_property
    def messages(self) -> list[JSONObject]:
        """The messages."""
        return objects_in(self.body.get("messages"))

    @cached_property
    def turns(self) -> list[Turn]:
        """The messages, those of one role in a row joined."""
        turns: list[Turn] = []
        for index, message in enumerate(self.messages):
            role, path = text_in(message.get("role")), f"messages.{index}"
            blocks = list(blocks_at(f"{path}.content", message.get("content")))
            if turns and turns[-1].role == role:
                turns[-1].blocks.extend(blocks)
            else:
                turns.append(Turn(role, path, blocks))
        return turns

    @cached_property
    def tools(self) -> list[JSONObject]:
        """The tools."""
        return objects_in(self.body.get("tools"))

    @cached_property
    def custom_tools(self) -> list[tuple[str, JSONObject]]:
        """The client's own tools with their paths (`tools.0.custom`)."""
        numbered = enumerate(self.tools)
        return [(f"tools.{index}.custom", tool) for index, tool in numbered if is_custom(tool)]

    @property
    def thinking(self) -> str:
        """The type of thinking asked for; "" where nothing is said."""
        return text_in(object_in(self.body.get("thinking")).get("type"))

    @property
    def effort(self) -> object:
        """The effort asked for."""
        return object_in(self.body.get("output_config")).get("effort")

    @property
    def tool_choice(self) -> str:
        """The type of tool choice; "" where nothing is said."""
        return text_in(object_in(self.body.get("tool_choice")).get("type"))

    def all_blocks(self) -> Iterator[tuple[str, JSONObject]]:
        """Every block of every message, those inside tool results too."""
        for turn in self.turns:
            for path, block in turn.blocks:
                yield path, block
                if block.get("type") == "tool_result":
                    yield from blocks_at(f"{path}.tool_result.content", block.get("content"))


def is_custom(tool: JSONObject) -> bool:
    """Whether this is a tool of the client, not one of Anthropic's."""
    return tool.get("type") in {None, "custom"}


def blocks_at(path: str, content: object) -> Iterator[tuple[str, JSONObject]]:
    """Blocks of a `content`; a string counts as one text block."""
    if isinstance(content, str):
        yield f"{path}.0", {"type": "text", "text": content}
    for index, block in enumerate(list_in(content)):
        if isinstance(block, dict):
            yield f"{path}.{index}", block
