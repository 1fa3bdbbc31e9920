"""What of a request goes out."""

from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest
from claude_openai_proxy.translate.messages_api.request_body import encode_request

REQUEST = MessagesRequest(model="m", max_tokens=9, messages=[MessageParam(role="user", content=[])])
KNOWN = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[]}],"stream":true'


def test_it_always_asks_for_a_stream() -> None:
    assert encode_request(REQUEST) == KNOWN + b"}"


def test_members_that_have_no_type_go_out_byte_for_byte() -> None:
    others = {"context_management": Raw(b'{"edits": [1.50]}'), "container": Raw(b"null")}
    request = MessagesRequest(model="m", max_tokens=9, messages=REQUEST.messages, others=others)
    assert encode_request(request) == KNOWN + b',"context_management":{"edits": [1.50]},"container":null}'
