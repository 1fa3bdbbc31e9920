"""What a request may take, before anybody has counted it: rather too much than too little."""

import re
from typing import Final

from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.translate.messages_api.request_body import encode_request

OUTPUT_TOKENS: Final = 8_192
"""So much of an answer is reserved for at most."""
BYTES_PER_TOKEN: Final = 3
"""Fewer than there are on average."""
IMAGE_TOKENS: Final = 5_000
"""More than an image of any size is counted as."""
DOCUMENT_BYTES_PER_TOKEN: Final = 20
"""Of a PDF in base64: 3,000 tokens for each page of some 45 KB."""

_DATA: Final = b'"data":'
"""Looked for before the pattern is, which takes longer to find that there is none."""
_BASE64: Final = re.compile(rb'"data":\s*"([A-Za-z0-9+/=]{4096,})"')
_IMAGES: Final = (b"iVBOR", b"/9j/", b"R0lG", b"UklG")
"""PNG, JPEG, GIF and WebP begin so in base64."""


def input_tokens(request: MessagesRequest) -> int:
    """Of all that is sent; pictures and documents by what Claude counts for those."""
    body = encode_request(request, streamed=False)
    tokens = len(body)
    media = 0
    if _DATA in body:
        for found in _BASE64.finditer(body):
            data = found[1]
            tokens -= len(data)
            media += _media_tokens(data)
    return tokens // BYTES_PER_TOKEN + media


def output_tokens(request: MessagesRequest) -> int:
    """Up to `OUTPUT_TOKENS`."""
    return min(request.max_tokens, OUTPUT_TOKENS)


def _media_tokens(data: bytes) -> int:
    if data.startswith(_IMAGES):
        return min(len(data) // BYTES_PER_TOKEN, IMAGE_TOKENS)
    return len(data) // DOCUMENT_BYTES_PER_TOKEN
