"""How much work the schemas of one request may make: references let a short text stand for a huge one."""

from msgspec import Struct

ALWAYS = 20_000
"""Members of schemas that any request may have looked at or copied."""
BYTES_FOR_ONE = 4
"""For so many bytes of schemas it may be one more."""
CHARACTERS_FOR_ONE = 64
"""So many characters that are written are as much work as one member."""


class SchemaError(ValueError):
    """No accepted schema says the same; the message says why, as the end of a sentence."""


class SchemaTooLargeError(SchemaError):
    """The schemas of the request are too much together, and this is the one at which it showed."""


class Allowance(Struct, eq=False):
    """What is left of it, shared by all schemas of a request."""

    left: int = ALWAYS

    @classmethod
    def for_bytes(cls, size: int) -> "Allowance":
        """For a request whose schemas have so many bytes together."""
        return cls(ALWAYS + size // BYTES_FOR_ONE)

    def spend(self, members: int = 1, *, characters: int = 0) -> None:
        """Before or while it is done. Raises `SchemaTooLargeError`."""
        self.left -= members + characters // CHARACTERS_FOR_ONE
        if self.left < 0:
            raise SchemaTooLargeError(
                "is too large once its references are resolved, together with the request's other schemas"
            )
