"""The form of the answer: plain text, one JSON object, or JSON of a schema."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import JSONOutputFormat
from claude_openai_proxy.translate.messages_api.instructions import JSON_OBJECT, schema_in_words
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.allowance import Allowance, SchemaError
from claude_openai_proxy.translate.schemas.document import Schema, decoded
from claude_openai_proxy.translate.schemas.output_schema import LooseSchemaError, strict_schema
from claude_openai_proxy.translate.schemas.strict_budget import fits_budget

_ANY_OBJECT: Final = Raw(b'{"type":"object"}')


class FormatWish(Struct, frozen=True):
    """JSON of `schema`, or any one JSON object where that is None. `place` is the client's name of the schema."""

    schema: Raw | None = None
    description: str | None = None
    place: str = ""


class AnswerFormat(Struct, frozen=True):
    """`asked` is the client's own schema, `native` what Claude compiles.

    `instruction` tells Claude in words what goes upstream in no other way.
    """

    asked: Raw | None = None
    native: Schema | None = None
    instruction: str | None = None

    @property
    def structured(self) -> bool:
        """JSON was asked for."""
        return self.asked is not None or self.instruction is not None

    @property
    def param(self) -> JSONOutputFormat | None:
        """What goes upstream."""
        return None if self.native is None else JSONOutputFormat(Raw(msgspec.json.encode(self.native)))


PLAIN: Final = AnswerFormat()


def answer_format(wish: FormatWish | None, facts: ModelFacts, notes: Notes, allowance: Allowance) -> AnswerFormat:
    """The format that was asked for. Raises `InvalidRequestError` where the schema is none, or too large."""
    if wish is None:
        return PLAIN
    asked = wish.schema
    if asked is None:
        return AnswerFormat(instruction=JSON_OBJECT)
    if bytes(asked) in {b"", b"null"}:
        asked = _ANY_OBJECT
    native = _native(asked, wish.place, allowance)
    if native is None or not facts.structured_output or not fits_budget([native]):
        notes.repair("response_format_emulated")
        return AnswerFormat(asked, instruction=schema_in_words(bytes(asked)))
    if wish.description:
        native.setdefault("description", wish.description)
    return AnswerFormat(asked, native)


def _native(asked: Raw, place: str, allowance: Allowance) -> Schema | None:
    """The schema as Claude compiles it; None where that would be too narrow."""
    try:
        return strict_schema(decoded(asked), allowance)
    except LooseSchemaError:
        return None
    except SchemaError as error:
        raise InvalidRequestError(f"The schema {error}.", param=place) from None
