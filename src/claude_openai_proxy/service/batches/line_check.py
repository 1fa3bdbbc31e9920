"""One line of an input file, as far as OpenAI's own check goes: what is wrong here fails the batch, nothing is run.

https://platform.openai.com/docs/guides/batch; what it does not look at becomes an error line when the line is run.
"""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import ModelNotAllowedError, ProxyError
from claude_openai_proxy.protocols.openai_batches import BatchError
from claude_openai_proxy.service.estimates import OUTPUT_TOKENS
from claude_openai_proxy.translate.models.prices import DEAREST, MILLION, price_of

NO_JSON: Final = Raw()
MOST_ERRORS: Final = 100
BYTES_OF_A_TOKEN: Final = 3


class BatchLine(Struct, frozen=True):
    """What clients write."""

    custom_id: Raw = NO_JSON
    method: Raw = NO_JSON
    url: Raw = NO_JSON
    body: Raw = NO_JSON


class ReadLine(Struct, frozen=True):
    """A line that may be run."""

    custom_id: str
    body: Raw


class _Head(Struct, frozen=True):
    """What is looked at of a body."""

    model: Raw = NO_JSON
    stream: Raw = NO_JSON
    messages: Raw = NO_JSON
    input: Raw = NO_JSON
    prompt: Raw = NO_JSON
    max_tokens: Raw = NO_JSON
    max_completion_tokens: Raw = NO_JSON
    max_output_tokens: Raw = NO_JSON

    def most_output(self) -> int:
        """Tokens, as far as they are reserved."""
        limits = (self.max_completion_tokens, self.max_tokens, self.max_output_tokens)
        named = [int(bytes(limit)) for limit in limits if bytes(limit).isdigit() and len(bytes(limit)) < 10]
        return min([*named, OUTPUT_TOKENS])


Resolve = Callable[[str | None], Awaitable[str]]
"""From a model's name to its id. Raises `ModelNotFoundError`, `ModelNotAllowedError`."""

_decode_line: Final = msgspec.json.Decoder(BatchLine).decode
decode_read_line: Final = msgspec.json.Decoder(ReadLine).decode
_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_text: Final = msgspec.json.Decoder(str).decode


class LineCheck:
    """Of a batch for `endpoint`, whose bodies have a member `wanted`. `errors`: the first `MOST_ERRORS`.

    `dollars`: what all lines may cost by list price. `models` has each name that was met and its id; a line without one
    counts as "".
    """

    def __init__(self, endpoint: str, wanted: str, resolve: Resolve) -> None:
        self._endpoint = endpoint
        self._wanted = wanted
        self._resolve = resolve
        self._seen: set[bytes] = set()
        self.models: dict[str, str] = {}
        self.errors: list[BatchError] = []
        self.dollars = 0.0

    async def look(self, number: int, data: bytes | None) -> None:
        """At one more line; None: it is longer than any request may be."""
        if data is None:
            return self._wrong(number, "invalid_request", "This line is longer than a request may be.")
        try:
            line = _decode_line(data)
        except msgspec.ValidationError:
            return self._wrong(number, "invalid_request", "This line is not a JSON object.")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._wrong(number, "invalid_json_line", "This line is not parseable as valid JSON.")
        if self._members_are_there(number, line) and self._members_are_right(number, line):
            await self._look_at_body(number, line.body)
        return None

    def _members_are_there(self, number: int, line: BatchLine) -> bool:
        for name in ("custom_id", "method", "url", "body"):
            if not bytes(getattr(line, name)):
                self._wrong(number, "missing_required_parameter", f"Missing required parameter: '{name}'.", name)
                return False
        return True

    def _members_are_right(self, number: int, line: BatchLine) -> bool:
        custom_id = _text(line.custom_id)
        if custom_id is None:
            return self._is_wrong(number, "invalid_request", "custom_id must be a string.", "custom_id")
        if _text(line.method) != "POST":
            return self._is_wrong(number, "invalid_request", "The method must be POST.", "method")
        if _text(line.url) != self._endpoint:
            message = f"The URL of this line is not the batch's endpoint, {self._endpoint}."
            return self._is_wrong(number, "invalid_url", message, "url")
        if not bytes(line.body).startswith(b"{"):
            return self._is_wrong(number, "invalid_request", "The body must be a JSON object.", "body")
        if (digest := blake2b(custom_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()) in self._seen:
            message = "The custom_id of this line was used by an earlier one."
            return self._is_wrong(number, "duplicate_custom_id", message, "custom_id")
        self._seen.add(digest)
        return True

    async def _look_at_body(self, number: int, body: Raw) -> None:
        head = _decode_head(body)
        if bytes(head.stream) == b"true":
            return self._wrong(number, "streaming_unsupported", "A batch cannot stream.", "body.stream")
        if not bytes(getattr(head, self._wanted)):
            return self._wrong(
                number, "invalid_request", f"Missing required parameter: '{self._wanted}'.", f"body.{self._wanted}"
            )
        name = _text(head.model) if bytes(head.model) not in (b"", b"null") else ""
        if name is None:
            return self._wrong(number, "invalid_request", "The model must be a string.", "body.model")
        if name not in self.models:
            await self._look_at_model(number, name)
        if (id_ := self.models.get(name)) is not None:
            price = price_of(id_) or DEAREST
            tokens = len(bytes(body)) / BYTES_OF_A_TOKEN * price.input + head.most_output() * price.output
            self.dollars += tokens / MILLION
        return None

    async def _look_at_model(self, number: int, name: str) -> None:
        try:
            self.models[name] = await self._resolve(name or None)
        except ModelNotAllowedError as error:
            self._wrong(number, "model_not_allowed", error.message, "body.model")
        except ProxyError as error:
            code, message = ("model_not_found", error.message) if name else ("invalid_request", _NO_MODEL)
            self._wrong(number, code, message, "body.model")

    def _is_wrong(self, number: int, code: str, message: str, param: str) -> bool:
        self._wrong(number, code, message, param)
        return False

    def _wrong(self, number: int, code: str, message: str, param: str | None = None) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(BatchError(code, message, param, number))


_NO_MODEL: Final = "Missing required parameter: 'model'."


def _text(raw: Raw) -> str | None:
    """None for what is no string."""
    try:
        return _decode_text(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
