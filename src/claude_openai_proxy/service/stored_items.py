"""Items as they are kept, and as they are shown: every one has an id, and is otherwise as it was sent or answered."""

from collections.abc import Callable, Collection, Iterable
from typing import Final, get_args

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.protocols.openai_responses_request import Include
from claude_openai_proxy.storage.responses import Item, Part

ENCRYPTED: Final = "reasoning.encrypted_content"
SOURCES: Final = "web_search_call.action.sources"
RESULTS: Final = "web_search_call.results"
IMAGES: Final = "message.input_image.image_url"
INCLUDABLE: Final[tuple[str, ...]] = get_args(Include)
"""What `include` may name."""

_PREFIXES: Final = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "web_search_call": "ws_",
    "local_shell_call": "lsh_",
    "local_shell_call_output": "lsho_",
    "shell_call": "sh_",
    "shell_call_output": "sho_",
    "apply_patch_call": "apc_",
    "apply_patch_call_output": "apco_",
    "tool_search_call": "tsc_",
    "tool_search_output": "tso_",
    "compaction": "cmp_",
}

_Members = dict[str, Raw]
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_list: Final = msgspec.json.Decoder(list[Raw]).decode
_encode: Final = msgspec.json.Encoder().encode


def stored(
    items: Iterable[bytes | Raw], part: Part, new_id: Callable[[str], str], taken: Collection[str] = ()
) -> list[Item]:
    """Items to be kept, each with an id of its own, by which a list is paged through.

    `new_id` makes one with a prefix (`msg_`) for those that came without, or with one that is `taken` or came before.
    """
    used, kept = set(taken), list[Item]()
    for item in items:
        kept.append(_stored(item, part, new_id, used))
        used.add(kept[-1].id)
    return kept


def come_with_ids(items: Iterable[bytes | Raw]) -> bool:
    """Whether any of them has one already."""
    return any(_read(_named(item).id) for item in items)


def shown(item: bytes, include: Collection[str] = ()) -> Raw:
    """A kept item as clients read it: what only `include` asks for is left out, short forms are written out."""
    members = _members(item)
    match _text(members, "type") or "message":
        case "message":
            members = _message(members, images=IMAGES in include)
        case "reasoning" if ENCRYPTED not in include:
            members.pop("encrypted_content", None)
        case "web_search_call":
            _hide_sources(members, include)
    return Raw(_encode(members))


class _Named(Struct):
    """An item as far as its name must be known; what is no text is none."""

    id: Raw = Raw(b"null")
    type: Raw = Raw(b"null")


_named: Final = msgspec.json.Decoder(_Named).decode


def _stored(item: bytes | Raw, part: Part, new_id: Callable[[str], str], used: Collection[str]) -> Item:
    named = _named(item)
    if (id_ := _read(named.id)) and id_ not in used:
        return Item(id_, part, bytes(item))
    id_ = new_id(_PREFIXES.get(_read(named.type) or "message", "item_"))
    members = {"id": Raw(_encode(id_)), **{name: value for name, value in _members(item).items() if name != "id"}}
    return Item(id_, part, _encode(members))


def _text(members: _Members, name: str) -> str | None:
    return _read(members.get(name, Raw(b"null")))


def _read(value: Raw) -> str | None:
    """A text; None for anything else."""
    text = bytes(value)
    return msgspec.json.decode(text, type=str) if text.startswith(b'"') else None


def _message(members: _Members, *, images: bool) -> _Members:
    told = {"type": Raw(b'"message"'), **members}
    told.setdefault("status", Raw(b'"completed"'))
    content = told.get("content", Raw(b"null"))
    if bytes(content).startswith(b'"'):
        said = _text(told, "role") == "assistant"
        kind = b'"output_text"' if said else b'"input_text"'
        more = b',"annotations":[],"logprobs":[]' if said else b""
        told["content"] = Raw(b'[{"type":%s,"text":%s%s}]' % (kind, bytes(content), more))
    elif bytes(content).startswith(b"[") and not images:
        told["content"] = Raw(_encode([_without_data(part) for part in _list(content)]))
    return told


def _without_data(part: Raw) -> Raw:
    """An image's data are long, and the client has sent them itself."""
    if b'"data:' not in bytes(part):
        return part
    members = _members(part)
    if _text(members, "type") == "input_image" and (_text(members, "image_url") or "").startswith("data:"):
        del members["image_url"]
    return Raw(_encode(members))


def _hide_sources(members: _Members, include: Collection[str]) -> None:
    if RESULTS not in include:
        members.pop("results", None)
    if SOURCES not in include and bytes(members.get("action", Raw(b"null"))).startswith(b"{"):
        action = _members(members["action"])
        action.pop("sources", None)
        members["action"] = Raw(_encode(action))
