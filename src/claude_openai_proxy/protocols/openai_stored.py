"""What clients read and change of what is kept: conversations, lists, deletions, with the published names.

https://platform.openai.com/docs/api-reference/conversations, .../responses/input-items, .../chat/list
"""

from typing import Literal

from msgspec import Raw, Struct


class Conversation(Struct, kw_only=True):
    """Times in whole seconds since 1970."""

    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, str]


class ConversationCreate(Struct, frozen=True, kw_only=True):
    """`POST /v1/conversations`."""

    items: list[Raw] | None = None
    metadata: dict[str, str] | None = None


class ItemsCreate(Struct, frozen=True, kw_only=True):
    """`POST /v1/conversations/{id}/items`."""

    items: list[Raw]


class MetadataUpdate(Struct, frozen=True, kw_only=True):
    """The only member of a conversation or a chat completion that can be changed."""

    metadata: dict[str, str] | None


class ObjectList(Struct, frozen=True, kw_only=True):
    """A page of a list."""

    object: Literal["list"] = "list"
    data: list[Raw]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Deleted(Struct, frozen=True, kw_only=True):
    """`object` as each API names it: `response`, `conversation.deleted`, `chat.completion.deleted`."""

    id: str
    object: Literal["response", "conversation.deleted", "chat.completion.deleted"]
    deleted: Literal[True] = True
