"""The id of the end user on whose behalf the client asks."""

import hashlib

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.protocols.anthropic import Metadata
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.notes import Notes


class EndUser(Struct, frozen=True):
    """`fields` are the client's names of all the fields that held an id."""

    id: str
    fields: tuple[str, ...]


def metadata(user: EndUser | None, capabilities: Capabilities, notes: Notes) -> Metadata | UnsetType:
    """The end user's id, hashed: clients send e-mail addresses, which Claude refuses.

    Raises `UnsupportedParameterError` where the upstream keeps its own and the user wants that refused.
    """
    if user is None:
        return UNSET
    if capabilities.metadata:
        return Metadata(hashlib.sha256(user.id.encode()).hexdigest())
    for name in user.fields:
        notes.decline(name, "Claude Code keeps the identity that it is logged in with")
    return UNSET
