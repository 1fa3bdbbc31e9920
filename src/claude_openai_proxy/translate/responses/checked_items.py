"""Items that are kept now and read later: what could not be read then is refused now, at its place."""

from collections.abc import Sequence

from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_responses_request import Message
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.responses.content import kind_of_part
from claude_openai_proxy.translate.responses.items import read_items


def check_items(items: Sequence[Raw], place: str) -> None:
    """`place` is the client's name of the list. Raises `InvalidRequestError`."""
    for placed in read_items(items, place, Notes()):
        if placed.type == "item_reference":
            raise InvalidRequestError("A reference to an item cannot be kept.", param=f"{placed.place}.type")
        if isinstance(placed.item, Message) and isinstance(placed.item.content, list):
            for number, part in enumerate(placed.item.content):
                kind_of_part(part, f"{placed.place}.content[{number}]")
