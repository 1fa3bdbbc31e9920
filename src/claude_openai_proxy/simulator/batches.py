"""Message Batches (https://docs.anthropic.com/en/api/creating-message-batches): many requests, answered within a day.

| state | when |
|---|---|
| `in_progress` | until `seconds` after it was made; all counts but `processing` are 0 |
| `canceling` | asked to be cancelled before that; what would have been done by then is not |
| `ended` | then, and what it came to stays as it was when it was looked at first |

What is wrong with one request's `params` is found when it is run, as the real API does it. Results come in another
order than the requests.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import parse_qs

from claude_openai_proxy.simulator.loose_json import JSONObject, compact, object_in, objects_in, text_in
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.simulator.script import Script

PATH: Final = "/v1/messages/batches"
MOST_REQUESTS: Final = 100_000
MOST_BYTES: Final = 256 * 1024 * 1024
A_DAY: Final = 86_400.0

_CUSTOM_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NEVER: Final = ("stream", "speed", "store", "cache_hint", "context_hint", "thread")
"""Members of `params` that no request of a batch may have."""

Status = Literal["in_progress", "canceling", "ended"]
Run = Callable[[ReceivedRequest], tuple[int, bytes]]
"""One request as the live route would answer it: status and body."""


@dataclass(eq=False)
class Batch:
    """One of them. `seconds` may be changed by a test; a negative number is over already, more than a day expires."""

    id: str
    requests: Sequence[JSONObject]
    created: float
    seconds: float
    cancelled: float | None = None
    results: list[JSONObject] | None = None
    """Once it has ended."""
    ended: float | None = None
    outcome: dict[str, int] = field(default_factory=dict)


class Batches:
    """Those of one workspace, newest first. `now` in seconds since 1970; new ones take `seconds`."""

    def __init__(self, run: Run, *, now: Callable[[], float], seconds: float = 0.0) -> None:
        self._run = run
        self._now = now
        self.seconds = seconds
        self.all: dict[str, Batch] = {}

    def script(self, request: ReceivedRequest) -> Script:
        """The answer to a request below `PATH`."""
        id_, _, verb = request.path.removeprefix(PATH).strip("/").partition("/")
        if not id_:
            return self._of_all(request)
        batch = self.all.get(id_)
        if batch is None:
            return Script.error(404, f"batch: {id_}")
        self._look(batch)
        match request.method, verb:
            case "GET", "":
                return _document(self._shown(batch, request))
            case "DELETE", "":
                return self._delete(batch)
            case "POST", "cancel":
                return self._cancel(batch, request)
            case "GET", "results":
                return _results(batch)
        return Script.error(404, "Not found")

    def _of_all(self, request: ReceivedRequest) -> Script:
        if request.method == "POST":
            return self._create(request)
        return self._page(request) if request.method == "GET" else Script.error(404, "Not found")

    def _create(self, request: ReceivedRequest) -> Script:
        if len(request.body) > MOST_BYTES:
            return Script.error(413, "Request exceeds the maximum size")
        complaint = _complaint(request.json)
        if complaint:
            return Script.error(400, complaint)
        id_ = f"msgbatch_sim{len(self.all) + 1:021d}"
        batch = Batch(id_, objects_in(request.json.get("requests")), self._now(), self.seconds)
        self.all[id_] = batch
        return _document(self._shown(batch, request))

    def _page(self, request: ReceivedRequest) -> Script:
        asked = parse_qs(request.query)
        ids = list(reversed(self.all))
        limit = int(asked.get("limit", ["20"])[0])
        after = asked.get("after_id", [""])[0]
        start = ids.index(after) + 1 if after in ids else 0
        page = ids[start : start + limit]
        for id_ in page:
            self._look(self.all[id_])
        rows = [self._shown(self.all[id_], request) for id_ in page]
        more, first, last = start + limit < len(ids), page[0] if page else None, page[-1] if page else None
        return _document({"data": rows, "has_more": more, "first_id": first, "last_id": last})

    def _cancel(self, batch: Batch, request: ReceivedRequest) -> Script:
        if batch.ended is None:
            batch.cancelled = batch.cancelled or self._now()
        return _document(self._shown(batch, request))

    def _delete(self, batch: Batch) -> Script:
        if batch.ended is None:
            return Script.error(400, "Message Batches can only be deleted once they have finished processing.")
        del self.all[batch.id]
        return _document({"id": batch.id, "type": "message_batch_deleted"})

    # ---- what becomes of it --------------------------------------------------------------------------------------

    def _look(self, batch: Batch) -> None:
        """It may have ended by now."""
        if batch.ended is not None:
            return
        if batch.cancelled is not None:
            results = [_result(request, {"type": "canceled"}) for request in batch.requests]
        elif self._now() >= batch.created + A_DAY:
            results = [_result(request, {"type": "expired"}) for request in batch.requests]
        elif self._now() >= batch.created + batch.seconds:
            results = [_result(request, self._ran(request)) for request in batch.requests]
        else:
            return
        batch.ended, batch.results = self._now(), results[::-1]
        for result in results:
            kind = text_in(object_in(result["result"])["type"])
            batch.outcome[kind] = batch.outcome.get(kind, 0) + 1

    def _ran(self, request: JSONObject) -> JSONObject:
        params = object_in(request.get("params"))
        if forbidden := next((name for name in _NEVER if params.get(name)), ""):
            return _errored(f"{forbidden}: not supported in a Message Batch", "invalid_request_error")
        body = compact(params).encode()
        asked = ReceivedRequest("POST", "/v1/messages", "", {"anthropic-version": "2023-06-01"}, body)
        status, answer = self._run(asked)
        document = object_in(json.loads(answer))
        if status != 200:
            return {"type": "errored", "error": document}
        usage = {**object_in(document.get("usage")), "service_tier": "batch"}
        return {"type": "succeeded", "message": {**document, "usage": usage}}

    def _shown(self, batch: Batch, request: ReceivedRequest) -> JSONObject:
        """As it is for who asked: the results are where it asked for them."""
        status: Status = "in_progress" if batch.cancelled is None else "canceling"
        if batch.ended is not None:
            status = "ended"
        kinds = ("succeeded", "errored", "canceled", "expired")
        processing = 0 if batch.ended is not None else len(batch.requests)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {"processing": processing, **{kind: batch.outcome.get(kind, 0) for kind in kinds}},
            "created_at": _time(batch.created),
            "expires_at": _time(batch.created + A_DAY),
            "ended_at": _time(batch.ended),
            "cancel_initiated_at": _time(batch.cancelled),
            "archived_at": None,
            "results_url": f"http://{request.headers['host']}{PATH}/{batch.id}/results" if processing == 0 else None,
        }


def _complaint(body: JSONObject) -> str:
    """What refuses the whole of it; "" where nothing does."""
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        return "requests: Field required" if requests is None else "requests: List should have at least 1 item"
    if len(requests) > MOST_REQUESTS:
        return f"requests: List should have at most {MOST_REQUESTS} items"
    seen = set[str]()
    for number, request in enumerate(requests):
        if complaint := _complaint_of_one(object_in(request), seen):
            return f"requests.{number}.{complaint}"
    return ""


def _complaint_of_one(request: JSONObject, seen: set[str]) -> str:
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str):
        return "custom_id: Field required"
    if not _CUSTOM_ID.fullmatch(custom_id):
        return "custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"
    if custom_id in seen:
        return "custom_id: must be unique within the batch"
    seen.add(custom_id)
    return "" if isinstance(request.get("params"), dict) else "params: Field required"


def _results(batch: Batch) -> Script:
    if batch.results is None:
        return Script.error(404, "No results are available yet")
    lines = "".join(f"{compact(result)}\n" for result in batch.results)
    return Script(body=lines.encode(), content_type="application/x-jsonl")


def _result(request: JSONObject, result: JSONObject) -> JSONObject:
    return {"custom_id": request["custom_id"], "result": result}


def _errored(message: str, kind: str) -> JSONObject:
    return {"type": "errored", "error": {"type": "error", "error": {"type": kind, "message": message}}}


def _document(body: JSONObject) -> Script:
    return Script(body=compact(body).encode(), content_type="application/json")


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
