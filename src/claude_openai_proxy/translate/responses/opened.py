"""What `encrypted_content` held, once it has been opened: of ours, of somebody else's, of nobody's.

Opening needs the installation's key, so it is done before a request is translated; here is what it gives.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Raw, Struct

Reason = Literal["organization_mismatch", "end_user_mismatch", "model_mismatch", "prefix_mismatch", "turn_boundary"]
"""Why a reasoning item was left out, in the published words of `input_transformations`."""


class Opened(Struct, frozen=True):
    """`blocks` of Claude's, byte for byte, or a compaction's `summary`; `trouble` where it cannot be used.

    Thinking is bound to model, upstream and `prefix` (`messages_api.kept_turns`): that is proved before it goes out.
    """

    blocks: Sequence[Raw] = ()
    summary: str = ""
    model: str = ""
    upstream: str = ""
    prefix: str = ""
    trouble: Reason | None = None


Envelopes = Mapping[str, Opened]
"""By the `encrypted_content` of the items."""

NO_ENVELOPES: Final[Envelopes] = MappingProxyType({})


class LeftOut(Struct, frozen=True):
    """One of the response's `input_transformations`."""

    id: str | None
    reason: Reason
    type: str = "reasoning"
    action: str = "removed"


def published_reason(reason: str) -> Reason:
    """The word for what `messages_api.kept_turns` says of a turn that it leaves without its thinking."""
    if reason == "model":
        return "model_mismatch"
    return "organization_mismatch" if reason == "upstream" else "prefix_mismatch"
