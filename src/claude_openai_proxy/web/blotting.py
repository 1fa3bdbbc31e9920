"""What never leaves this machine, whoever quotes it: the proxy's own secrets, and where its files lie.

Claude's side may quote a key in an error or a request id, and a failure of a program names its path. Answers of the
model are not looked at: they are never altered.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

BLOT: Final = "***"
SHORTEST: Final = 8
"""Characters. Shorter secrets would blot out words."""


class Blotter:
    """`secrets` are those of this moment; `places` maps a directory or file to what is said instead of it."""

    def __init__(self, secrets: Callable[[], Iterable[str]] = tuple, places: Mapping[str, str] | None = None) -> None:
        self._secrets = secrets
        usable = {path.rstrip("/"): said for path, said in (places or {}).items() if len(path.rstrip("/")) > 1}
        self._places = usable
        longest_first = sorted(map(re.escape, usable), key=len, reverse=True)
        self._place = re.compile(rf"(?<![\w.~/-])(?:{'|'.join(longest_first)})(?![\w.-])") if usable else None

    def secrets(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._secrets():
            if len(secret) >= SHORTEST and secret in text:
                text = text.replace(secret, BLOT)
        return text

    def all(self, text: str) -> str:
        """`text` without secrets and without paths of this machine."""
        text = self.secrets(text)
        if self._place is None or not any(path in text for path in self._places):
            return text
        return self._place.sub(lambda found: self._places[found[0]], text)
