"""What an answer says, in nobody's shape: `answer.AnswerStream` makes these pieces, a dialect's encoder writes them."""

from msgspec import Struct


class Text(Struct, frozen=True, gc=False):
    """More text of the answer."""

    text: str


class ThinkingBegun(Struct, frozen=True, gc=False):
    """A thinking block opens."""


class ThinkingPiece(Struct, frozen=True, gc=False):
    """More thinking."""

    text: str


class ThinkingEnded(Struct, frozen=True, gc=False):
    """The thinking block is over. Claude takes it back with its signature only, "" where none came."""

    signature: str


class RedactedThinking(Struct, frozen=True, gc=False):
    """A block of encrypted thinking."""

    data: str


class CallBegun(Struct, frozen=True, gc=False):
    """A call of a client's tool, by the client's name of it; `index` counts calls from 0."""

    index: int
    id: str
    name: str
    custom: bool


class CallPiece(Struct, frozen=True, gc=False):
    """More of a call's arguments: JSON text, or the free text of a custom tool's input."""

    index: int
    text: str
    custom: bool


class CallEnded(Struct, frozen=True, gc=False):
    """The call is over; one that ran out of tokens is not complete."""

    index: int


class Annotation(Struct, frozen=True, gc=False):
    """A source of the text from `start` to before `end`, in characters of the whole answer's text."""

    start: int
    end: int
    title: str
    url: str


class Stopped(Struct, frozen=True, gc=False):
    """The answer is over, with Claude's `stop_reason`; `explanation` says why it refused, "" where it did not say."""

    stop_reason: str
    explanation: str


AnswerEvent = (
    Text
    | ThinkingBegun
    | ThinkingPiece
    | ThinkingEnded
    | RedactedThinking
    | CallBegun
    | CallPiece
    | CallEnded
    | Annotation
    | Stopped
)
