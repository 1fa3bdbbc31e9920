"""What a batch asks of the dialect of its lines."""

from dataclasses import dataclass
from typing import Protocol

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admissions import Admissions


class LineDialect(Protocol):
    """An endpoint: its lines are answered by the service of the live route."""

    @property
    def wanted(self) -> str:
        """The member that every body has, beside the model (`messages`)."""
        ...

    async def answer(self, body: bytes, admissions: Admissions, record: RequestRecord, *, keep: bool) -> bytes:
        """The JSON that the endpoint would answer to `body`, through `admissions`. Raises the kinds of `ProxyError`.

        Without `keep` it leaves nothing behind, whatever the body asks for.
        """
        ...

    def keeps(self, body: bytes) -> bool:
        """Whether the body asks for its answer to be kept."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as the endpoint would answer it: its status and its body."""

    status: int
    body: bytes


class Refuses(Protocol):
    """The table from errors to the wire."""

    def __call__(self, error: ProxyError, /) -> Refusal:
        """The row of `error`."""
        ...
