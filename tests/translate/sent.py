"""A translated request as tests ask about it; they look at JSON, so that one that an upstream received will do."""

from collections.abc import Iterator, Mapping


class Sent:
    """`json` is the body of `POST /v1/messages`."""

    def __init__(self, json: Mapping[str, object]) -> None:
        self.json = json

    def get(self, *path: str | int) -> object:
        """What stands at that path; None where nothing does."""
        found: object = self.json
        for step in path:
            found = _inside(found, step)
        return found

    @property
    def roles(self) -> list[str]:
        """The role of each turn."""
        return [str(turn["role"]) for turn in _objects(self.get("messages"))]

    def blocks(self, role: str, kind: str | None = None) -> list[Mapping[str, object]]:
        """The blocks of all turns of that role, of one type or of all."""
        turns = [turn for turn in _objects(self.get("messages")) if turn["role"] == role]
        return [block for turn in turns for block in _blocks(turn["content"]) if kind in {None, block["type"]}]

    def texts(self, role: str) -> list[str]:
        """The text blocks of all turns of that role."""
        return [str(block["text"]) for block in self.blocks(role, "text")]

    @property
    def system(self) -> str:
        """The system prompt and the system messages."""
        return "\n".join([*(str(block["text"]) for block in _blocks(self.get("system"))), *self.texts("system")])

    @property
    def spoken(self) -> str:
        """All text from the client's side."""
        return "\n".join([self.system, *self.texts("user")])

    @property
    def calls(self) -> list[tuple[object, object, object]]:
        """Id, name and input of every call in the history."""
        return [(call["id"], call["name"], call["input"]) for call in self.blocks("assistant", "tool_use")]

    @property
    def results(self) -> list[tuple[object, object]]:
        """Id and content of every tool result in the history; text alone where it is nothing else."""
        results = self.blocks("user", "tool_result")
        return [(result["tool_use_id"], _plain(result.get("content"))) for result in results]

    @property
    def tool_names(self) -> list[object]:
        """The tools on offer."""
        return [tool["name"] for tool in _objects(self.get("tools"))]

    def schema(self, index: int = 0) -> object:
        """A tool's schema."""
        return self.get("tools", index, "input_schema")

    @property
    def choice(self) -> object:
        """The type of the tool choice."""
        return self.get("tool_choice", "type")

    @property
    def marks(self) -> list[object]:
        """Every cache mark but the automatic one, in the order of the API: tools, system, messages."""
        turns = [block for turn in _objects(self.get("messages")) for block in _blocks(turn["content"])]
        parts = [*_objects(self.get("tools")), *_blocks(self.get("system")), *turns]
        return [part["cache_control"] for part in parts if part.get("cache_control")]


def _inside(value: object, step: str | int) -> object:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        return value[step]
    return None


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    for item in value if isinstance(value, list) else []:
        assert isinstance(item, Mapping)
        yield item


def _blocks(content: object) -> list[Mapping[str, object]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(_objects(content))


def _plain(content: object) -> object:
    """One text block says what a string says."""
    if isinstance(content, list) and len(content) == 1 and content[0].get("type") == "text":
        return content[0]["text"]
    return content
