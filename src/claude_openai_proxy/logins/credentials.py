"""What is sent to prove who pays, and where it may be sent."""

from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Credential:
    """One login by key. `base_url` is the only place it goes to; `source` says where it was found."""

    kind: Literal["api_key", "auth_token", "api_key_helper"]
    secret: str = field(repr=False)
    base_url: str
    source: str

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that carry it. A helper's output goes out in both (https://code.claude.com/docs/en/settings)."""
        api_key = ("x-api-key", self.secret)
        bearer = ("authorization", f"Bearer {self.secret}")
        if self.kind == "api_key":
            return (api_key,)
        return (bearer,) if self.kind == "auth_token" else (api_key, bearer)


class CredentialSource(Protocol):
    """Where credentials come from."""

    async def credential(self) -> Credential:
        """The one to use now. Raises `NoLoginError`."""
        ...

    async def refused(self, credential: Credential) -> bool:
        """Upstream answered 401: forget it. True when another one may be had, so that one more try makes sense."""
        ...

    def describe(self) -> str:
        """The login in words for a person (`ANTHROPIC_API_KEY from the environment`); "" where there is none."""
        ...
