"""What was read from the prompt cache and which thinking was put back, of all requests since the start."""

from collections import Counter

from claude_openai_proxy.records import RecordReader, RequestRecord


class PromptTally(RecordReader):
    """A reader of records; `told` is what `/health` shows."""

    def __init__(self) -> None:
        self._tokens: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    @property
    def told(self) -> dict[str, int]:
        """Counts by name; those that are 0 are left out, reasons stand behind a colon."""
        left_out = {f"thinking_left_out:{reason}": count for reason, count in self._left_out.items()}
        return {name: count for name, count in (self._tokens | Counter(left_out)).items() if count}

    def ended(self, record: RequestRecord) -> None:
        """Add it up."""
        self._tokens["input_tokens"] += record.input_tokens
        self._tokens["cached_tokens"] += record.cached_tokens
        self._tokens["cache_write_tokens"] += record.cache_write_tokens
        self._tokens["thinking_put_back"] += record.thinking_put_back
        if record.thinking_left_out:
            self._left_out.update(record.thinking_left_out.split(","))
