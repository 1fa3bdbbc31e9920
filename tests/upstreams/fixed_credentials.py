"""Credentials without a login: a list of keys, of which each refused one gives way to the next."""

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.logins.credentials import Credential


class FixedCredentials:
    def __init__(self, url: str, *keys: str) -> None:
        self.credentials = [Credential("api_key", key, url, "the key of the test") for key in keys or ("sk-test",)]
        self.refusals: list[Credential] = []

    async def credential(self) -> Credential:
        if not self.credentials:
            raise NoLoginError("No Claude login found. Run: claude-openai-proxy login")
        return self.credentials[0]

    async def refused(self, credential: Credential) -> bool:
        self.refusals.append(credential)
        if len(self.credentials) == 1:
            return False
        self.credentials.remove(credential)
        return True

    def describe(self) -> str:
        return "the key of the test" if self.credentials else ""
