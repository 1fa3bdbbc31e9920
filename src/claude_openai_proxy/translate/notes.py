"""What the translation of one request has to report: fields that were declined, and what was mended."""

from collections.abc import Sequence

from msgspec import Struct

from claude_openai_proxy.errors import UnsupportedParameterError

_NAMED = 8


class Notes(Struct, eq=False):
    """Fields as the client named them, and words for the record; each once, in the order in which they came up."""

    reject: bool = False
    _ignored: dict[str, None] = {}
    _repairs: dict[str, None] = {}

    def decline(self, name: str, why: str = "Claude has nothing that corresponds to it") -> None:
        """The field has no effect. Raises `UnsupportedParameterError` where the user wants that refused."""
        if self.reject:
            raise UnsupportedParameterError(f"{name} is not supported: {why}.", param=name)
        self._ignored[name] = None

    def decline_all(self, names: Sequence[str]) -> None:
        """Fields that nobody knows."""
        for name in names:
            self.decline(name, "this field is not known here")

    def repair(self, word: str) -> None:
        """The request was changed so that Claude takes it."""
        self._repairs[word] = None

    def repair_each(self, word: str, names: Sequence[str]) -> None:
        """The same for each of these, which a header can hold; of many only the first few are named."""
        for name in names[:_NAMED]:
            self.repair(f"{word}:{name}")
        if len(names) > _NAMED:
            self.repair(word)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The declined fields."""
        return tuple(self._ignored)

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was changed."""
        return tuple(self._repairs)
