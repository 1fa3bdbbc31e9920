"""The cases: what is asked, and what an answer must be like. The words of an answer are Claude's own affair.

| case | asked for | passes where |
|---|---|---|
| health | `/health` | it is `ok` |
| models | `/v1/models` | the model that is asked is among them |
| chat | an answer | it has text, a reason for its end, and usage |
| stream | the same, streamed | text in pieces, usage, and an end |
| tools | a call, then its result | the call has the name and JSON for arguments; the result is answered |
| images | a picture | it is answered |
| structured output | a JSON schema | the answer is what the schema says |
| reasoning loop | two rounds of a tool, thinking | both are answered and no thinking got lost between them |
| responses | `/v1/responses` | text, where that is served |
| errors | a wrong field, an unknown model | 400 with the field, 404 with its code |
| cancellation | a long answer that is left | it does not run on |
"""

import base64
import json
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from claude_openai_proxy.selftest.asking import Answer, CaseFailedError, JSONObject, Proxy

STOP_SECONDS: Final = 10.0
"""An answer that nobody takes any more has ended by then."""

_CHAT: Final = "/v1/chat/completions"
_NOT_SERVED: Final = frozenset({404, 405, 501})
_TOKENS: Final = 500
_TOOL: Final[JSONObject] = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks up one word.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}
_SCHEMA: Final[JSONObject] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "rivers": {"type": "array", "items": {"type": "string"}}},
    "required": ["city", "rivers"],
    "additionalProperties": False,
}


class CaseSkippedError(Exception):
    """Why there is nothing to try."""


@dataclass(frozen=True, slots=True)
class Case:
    """`run` says what it found, and raises `CaseFailedError` or `CaseSkippedError`."""

    name: str
    run: Callable[[Proxy], str]
    requests: int = 1
    """That Claude answers."""


def _check(fine: object, wrong: str) -> None:
    if not fine:
        raise CaseFailedError(wrong)


# ---- without Claude -------------------------------------------------------------------------------------------------


def _health(proxy: Proxy) -> str:
    health = proxy.get("/health").ok().body
    _check(health.get("status") == "ok", f"its status is {health.get('status')!r}")
    return f"version {health.get('version', 'not told')}, upstream {health.get('upstream', 'not told')}"


def _models(proxy: Proxy) -> str:
    listed = [row.get("id") for row in proxy.get("/v1/models").ok().body.get("data", [])]
    _check(proxy.model in listed, "the model that is asked is not listed")
    return f"{len(listed)} models"


def _errors(proxy: Proxy) -> str:
    wrong = proxy.post(_CHAT, {"model": proxy.model, "messages": [{"role": "user", "content": 7}]})
    _check(wrong.status == 400, f"a wrong field: HTTP {wrong.status}")
    _check(str(wrong.error.get("param", "")).startswith("messages[0]"), "a wrong field is not named")
    unknown = proxy.post(_CHAT, {"model": "no-such-model", "messages": [_user("Hi")]})
    _check(unknown.status == 404, f"an unknown model: HTTP {unknown.status}")
    _check(unknown.error.get("code") == "model_not_found", "an unknown model has another code")
    return "400 with the field, 404 with its code"


# ---- one answer -----------------------------------------------------------------------------------------------------


def _chat(proxy: Proxy) -> str:
    answer = proxy.post(_CHAT, _asked(proxy, [_user("Say hello in one word.")])).ok()
    _check(_message(answer).get("content"), "the answer has no text")
    _check(_choice(answer).get("finish_reason") in ("stop", "length"), "the answer has no reason for its end")
    _check(answer.body.get("usage", {}).get("completion_tokens"), "the answer has no usage")
    return _seen(answer)


def _stream(proxy: Proxy) -> str:
    body = _asked(proxy, [_user("Count from one to ten in words.")]) | {"stream_options": {"include_usage": True}}
    with proxy.stream(_CHAT, body) as events:
        chunks = list(_chunks(events))
    deltas = [choice.get("delta", {}) for chunk in chunks for choice in chunk.get("choices", [])]
    reasons = [choice.get("finish_reason") for chunk in chunks for choice in chunk.get("choices", [])]
    pieces = [delta["content"] for delta in deltas if delta.get("content")]
    _check(pieces, "the stream has no text")
    _check(reasons[-1] in ("stop", "length"), "the stream has no reason for its end")
    _check((chunks[-1].get("usage") or {}).get("completion_tokens"), "the stream ends without usage")
    return f"{len(pieces)} pieces"


def _images(proxy: Proxy) -> str:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_red_square()}"}}
    question = {"type": "text", "text": "Which colour is this? One word."}
    answer = proxy.post(_CHAT, _asked(proxy, [{"role": "user", "content": [question, picture]}])).ok()
    _check(_message(answer).get("content"), "the answer has no text")
    return _seen(answer)


def _structured(proxy: Proxy) -> str:
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": _SCHEMA}}
    question = _user("Name one city and the rivers that flow through it.")
    answer = proxy.post(_CHAT, _asked(proxy, [question]) | {"response_format": wanted}).ok()
    try:
        said = json.loads(_message(answer).get("content") or "")
    except ValueError:
        raise CaseFailedError("the answer is no JSON") from None
    _check(isinstance(said, dict) and said.keys() == {"city", "rivers"}, "the answer has other members")
    _check(isinstance(said["city"], str) and isinstance(said["rivers"], list), "a member is of another type")
    return _seen(answer)


def _responses(proxy: Proxy) -> str:
    body = {"model": proxy.model, "input": "Say hello in one word.", "max_output_tokens": _TOKENS, "store": False}
    answer = proxy.post("/v1/responses", body)
    if answer.status in _NOT_SERVED:
        raise CaseSkippedError("not served here")
    answer.ok()
    _check(answer.body.get("status") == "completed", f"its status is {answer.body.get('status')!r}")
    parts = [part for item in answer.body.get("output", []) for part in item.get("content") or []]
    _check(any(part.get("type") == "output_text" and part.get("text") for part in parts), "the response has no text")
    return _seen(answer)


# ---- more than one --------------------------------------------------------------------------------------------------


def _tools(proxy: Proxy) -> str:
    _, calls = _loop(proxy, "Call the tool look_up with the word Rhine, then say what it found.", rounds=1)
    return f"{calls} calls, answered"


def _reasoning(proxy: Proxy) -> str:
    question = "Look it up in 2 rounds: call look_up with the word Rhine, then, when you know, with the word Danube."
    answers, calls = _loop(proxy, question, rounds=2, reasoning_effort="high")
    lost = [answer for answer in answers if "thinking" in answer.headers.get("x-repairs", "")]
    _check(not lost, "thinking of an earlier turn got lost")
    thought = sum(bool(_message(answer).get("reasoning_content")) for answer in answers)
    return f"{len(answers)} turns, {calls} calls, {thought} with their thinking shown"


def _loop(proxy: Proxy, question: str, *, rounds: int, **options: Any) -> tuple[list[Answer], int]:
    """Hands results back until there is an answer without a call."""
    messages: list[JSONObject] = [_user(question)]
    answers: list[Answer] = []
    count = 0
    while len(answers) < rounds + 3:
        asked = {"model": proxy.model, "messages": messages, "tools": [_TOOL], "max_completion_tokens": 4_000}
        answers.append(answer := proxy.post(_CHAT, asked | options).ok())
        message = _message(answer)
        calls = message.get("tool_calls") or []
        if not calls:
            break
        _check(_choice(answer).get("finish_reason") == "tool_calls", "a call ends with another reason")
        messages.append({"role": "assistant", "content": message.get("content"), "tool_calls": calls})
        messages += [_result(call) for call in calls]
        count += len(calls)
    _check(count, "the tool was not called")
    _check(_message(answers[-1]).get("content"), "the results were not answered")
    return answers, count


def _result(call: JSONObject) -> JSONObject:
    function = call.get("function", {})
    _check(function.get("name") == "look_up", "another tool was called")
    try:
        arguments = json.loads(function.get("arguments", ""))
    except ValueError:
        raise CaseFailedError("the call's arguments are no JSON") from None
    _check(isinstance(arguments, dict) and arguments.get("word"), "the call lacks its argument")
    return {"role": "tool", "tool_call_id": call.get("id"), "content": "A river in Europe."}


def _cancellation(proxy: Proxy) -> str:
    before = _running(proxy)
    asked = _asked(proxy, [_user("Count from one to five hundred in words.")]) | {"max_completion_tokens": 4_000}
    with proxy.stream(_CHAT, asked) as events:
        next(events, None)
    if before is None:
        return "left; this key is not told how many answers run"
    patience = time.monotonic() + STOP_SECONDS
    while (running := _running(proxy)) is not None and running > before:
        _check(time.monotonic() < patience, f"the answer still runs after {STOP_SECONDS:g} s")
        time.sleep(0.05)
    return "left, and it runs no more"


def _running(proxy: Proxy) -> int | None:
    line = proxy.get("/health").ok().body.get("line")
    return line.get("running") if isinstance(line, dict) else None


# ---- requests and answers -------------------------------------------------------------------------------------------


def _user(text: str) -> JSONObject:
    return {"role": "user", "content": text}


def _asked(proxy: Proxy, messages: list[JSONObject]) -> JSONObject:
    return {"model": proxy.model, "messages": messages, "max_completion_tokens": _TOKENS, "reasoning_effort": "low"}


def _choice(answer: Answer) -> JSONObject:
    choices = answer.body.get("choices")
    _check(isinstance(choices, list) and choices and isinstance(choices[0], dict), "the answer has no choice")
    return answer.body["choices"][0]  # type: ignore[no-any-return]  # it was looked at


def _message(answer: Answer) -> JSONObject:
    message = _choice(answer).get("message")
    _check(isinstance(message, dict), "the answer has no message")
    return message  # type: ignore[return-value]  # it was looked at


def _seen(answer: Answer) -> str:
    used = answer.body.get("usage", {})
    tokens = used.get("completion_tokens", used.get("output_tokens"))
    return f"{answer.headers.get('x-claude-model', 'a model that is not told')}, {tokens} tokens"


def _chunks(events: Iterable[str]) -> Iterator[JSONObject]:
    """Raises `CaseFailedError` for an error in the stream, and for one that does not end."""
    for event in events:
        if event == "[DONE]":
            return
        chunk = json.loads(event)
        if "error" in chunk:
            error = chunk["error"]
            raise CaseFailedError(f"an error in the stream: {error.get('code')}", str(error.get("message", "")))
        yield chunk
    raise CaseFailedError("the stream has no end")


def _red_square() -> str:
    """A PNG of 8 by 8 pixels, base64 (https://www.w3.org/TR/png/)."""
    rows = b"".join(b"\0" + b"\xff\0\0" * 8 for _ in range(8))
    pieces = [(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n"
    for kind, data in pieces:
        png += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return base64.b64encode(png).decode()


CASES: Final = (
    Case("health", _health, requests=0),
    Case("models", _models, requests=0),
    Case("chat", _chat),
    Case("stream", _stream),
    Case("tools", _tools, requests=2),
    Case("images", _images),
    Case("structured output", _structured),
    Case("reasoning loop", _reasoning, requests=3),
    Case("responses", _responses),
    Case("errors", _errors, requests=0),
    Case("cancellation", _cancellation),
)
