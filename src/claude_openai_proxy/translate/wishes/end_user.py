"""The id of the end user on whose behalf the client asks."""

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.protocols.anthropic import Metadata
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.notes import Notes


class EndUser(Struct, frozen=True):
    """`fields` are the client's names of all the fields that held an id."""

    id: str
    fields: tuple[str, ...]


def metadata(user: EndUser | None, capabilities: Capabilities, notes: Notes) -> Metadata | UnsetType:
    """A pseudonym of the end user's id: clients send e-mail addresses, which Claude refuses and need not know.

    Raises `UnsupportedParameterError` where the upstream keeps its own and the user wants that refused.
    """
    if user is None:
        return UNSET
    if capabilities.metadata:
        return Metadata(capabilities.pseudonym(user.id))
    for name in user.fields:
        notes.decline(name, "Claude Code keeps the identity that it is logged in with")
    return UNSET
