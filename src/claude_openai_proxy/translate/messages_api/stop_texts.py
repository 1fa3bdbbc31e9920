"""Stop sequences that Claude refuses (white space only), emulated on the text as it streams."""


class StopTextCutter:
    """Lets text through up to the first of the stop texts, which may be split over pieces anywhere."""

    def __init__(self, stop_texts: tuple[str, ...]) -> None:
        self._stop_texts = stop_texts
        self._held = ""
        self.reached = False
        """A stop text has come; nothing goes through any more."""

    @property
    def held(self) -> int:
        """Characters held back for now."""
        return len(self._held)

    def feed(self, text: str) -> str:
        """What may go out now: all but a tail that might become a stop text."""
        if self.reached:
            return ""
        text = self._held + text
        self._held = ""
        if (at := self._first_stop(text)) >= 0:
            self.reached = True
            return text[:at]
        safe = len(text) - self._possible_tail(text)
        self._held = text[safe:]
        return text[:safe]

    def end(self) -> str:
        """The text ends here: what was held back turned out to be text."""
        held, self._held = self._held, ""
        return held

    def _first_stop(self, text: str) -> int:
        """Where the stop text begins that is complete first: so it does not matter how the text is split."""
        found = [(at + len(stop), at) for stop in self._stop_texts if (at := text.find(stop)) >= 0]
        return min(found, default=(0, -1))[1]

    def _possible_tail(self, text: str) -> int:
        return max(_overlap(text, stop) for stop in self._stop_texts)


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
