"""The form of the answer: plain text, one JSON object, or JSON of a schema."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import JSONOutputFormat
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, ResponseFormatJSONSchema
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.schemas.output_schema import (
    LooseSchemaError,
    Schema,
    SchemaError,
    decoded,
    strict_schema,
)
from claude_openai_proxy.translate.schemas.strict_budget import fits_budget
from claude_openai_proxy.translate.wishes.instructions import schema_in_words
from claude_openai_proxy.translate.wishes.notes import Notes

PLACE = "response_format.json_schema.schema"
ANY_OBJECT = Raw(b'{"type":"object"}')


class AnswerFormat(Struct, frozen=True):
    """`asked` is the client's own schema, `native` what Claude compiles; only `asked` where it is told in words."""

    asked: Raw | None = None
    native: Schema | None = None

    @property
    def param(self) -> JSONOutputFormat | None:
        """What goes upstream."""
        return None if self.native is None else JSONOutputFormat(Raw(msgspec.json.encode(self.native)))

    @property
    def instruction(self) -> str | None:
        """The schema in words, where it does not go upstream otherwise."""
        return schema_in_words(bytes(self.asked)) if self.asked is not None and self.native is None else None


PLAIN: Final = AnswerFormat()


def answer_format(request: ChatCompletionRequest, facts: ModelFacts, notes: Notes) -> AnswerFormat:
    """The schema that was asked for. Raises `InvalidRequestError` where Claude has nothing like it (recursion)."""
    wanted = request.response_format
    if not isinstance(wanted, ResponseFormatJSONSchema):
        return PLAIN
    asked = wanted.json_schema.schema
    if bytes(asked) in {b"", b"null"}:
        asked = ANY_OBJECT
    native = _native(asked)
    if native is None or not facts.structured_output or not fits_budget([native]):
        notes.repair("response_format_emulated")
        return AnswerFormat(asked)
    if wanted.json_schema.description:
        native.setdefault("description", wanted.json_schema.description)
    return AnswerFormat(asked, native)


def _native(asked: Raw) -> Schema | None:
    """The schema as Claude compiles it; None where that would be too narrow."""
    try:
        return strict_schema(decoded(asked))
    except LooseSchemaError:
        return None
    except SchemaError as error:
        raise InvalidRequestError(f"The schema {error}.", param=PLACE) from None
