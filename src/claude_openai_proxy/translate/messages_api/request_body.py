"""From a Messages request to the body that goes out."""

from typing import Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import MessagesRequest

_encode: Final = msgspec.json.Encoder().encode


def encode_request(request: MessagesRequest, *, streamed: bool = True) -> bytes:
    """JSON; what `others` holds stands beside the members that have a type, byte for byte.

    A request that was `sent` goes out as it is, and asks for what it asks for.
    """
    if request.sent:
        return request.sent.body
    if not request.others:
        return _encode(replace(request, stream=True) if streamed else request)
    known = _encode(replace(request, stream=streamed, others=UNSET))
    return known[:-1] + b"," + _encode(request.others)[1:]
