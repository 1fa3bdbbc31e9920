"""What differs between the two APIs in every answer of a route, whatever it is: headers, and the shape of errors."""

from collections.abc import Sequence
from typing import Final, Protocol

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.errors import Failure


class Dialect(Protocol):
    """An API as its clients know it."""

    def headers(self, record: RequestRecord, took_ms: int, others: Sequence[Header]) -> list[Header]:
        """Those of every answer beside the `others`."""
        ...

    def failure(self, failure: Failure, error: ProxyError | None, record: RequestRecord) -> Failure:
        """`failure`, which tells of `error` (None: of a bug), as this API tells it."""
        ...


class OpenAIDialect:
    """OpenAI's, in which failures are made."""

    def headers(
        self,
        record: RequestRecord,  # noqa: ARG002 - the protocol's signature
        took_ms: int,
        others: Sequence[Header],  # noqa: ARG002 - the protocol's signature
    ) -> list[Header]:
        """See `Dialect.headers`."""
        return [(b"openai-processing-ms", b"%d" % took_ms), (b"openai-version", b"2020-10-01")]

    def failure(
        self,
        failure: Failure,
        error: ProxyError | None,  # noqa: ARG002 - the protocol's signature
        record: RequestRecord,  # noqa: ARG002 - the protocol's signature
    ) -> Failure:
        """See `Dialect.failure`."""
        return failure


OPENAI: Final = OpenAIDialect()
