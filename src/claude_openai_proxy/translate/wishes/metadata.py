"""`metadata`: what a client attaches to an object of its own (https://platform.openai.com/docs/api-reference/metadata)."""

from collections.abc import Mapping
from typing import Final

from claude_openai_proxy.errors import InvalidRequestError

MOST_PAIRS: Final = 16
LONGEST_KEY: Final = 64
LONGEST_VALUE: Final = 512
"""Characters."""


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raises `InvalidRequestError` in the published API's words for what is too much."""
    if len(metadata) > MOST_PAIRS:
        raise InvalidRequestError(
            f"Invalid 'metadata': too many properties. Expected an object with at most {MOST_PAIRS} properties, "
            f"but got an object with {len(metadata)} properties instead.",
            param="metadata",
            code="object_above_max_properties",
        )
    for key, value in metadata.items():
        if len(key) > LONGEST_KEY:
            raise _too_long("metadata", LONGEST_KEY)
        if len(value) > LONGEST_VALUE:
            raise _too_long(f"metadata.{key}", LONGEST_VALUE)


def _too_long(place: str, most: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid {place!r}: string too long. Expected a string with maximum length {most}.",
        param=place,
        code="string_above_max_length",
    )
