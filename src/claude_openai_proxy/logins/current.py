"""The login of this moment: it follows Claude Code's settings files while the server runs."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.logins.claude_settings import ClaudeSettingsFiles
from claude_openai_proxy.logins.credentials import Credential
from claude_openai_proxy.logins.key_helper import DEFAULT_TTL_SECONDS, HelperCommand, KeyHelper
from claude_openai_proxy.logins.layers import Layer, find_variable
from claude_openai_proxy.logins.login import NO_LOGIN, Login, UntrustedLoginError, choose_login
from claude_openai_proxy.translate.models.facts import LINES
from claude_openai_proxy.trust import Trust, UpstreamName
from claude_openai_proxy.urls import api_base_url

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_SECRETS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")


class CurrentLogin:
    """A `CredentialSource` for the API upstream, and the facts for whoever chooses between the upstreams."""

    def __init__(
        self,
        *,
        layers: tuple[Layer, ...],
        files: ClaudeSettingsFiles,
        environment: Mapping[str, str],
        clock: Callable[[], float],
        upstream: UpstreamName = "auto",
        unconfirmed: str = "",
    ) -> None:
        """`unconfirmed` says what a `.env` of the working directory sets that holds only for a key in the same file."""
        self._fixed_layers = layers
        self._files = files
        self._environment = environment
        self._clock = clock
        self._upstream = upstream
        self._unconfirmed = unconfirmed
        self._file_layers: tuple[Layer, ...] | None = None
        self._layers: tuple[Layer, ...] = ()
        self._secrets: Sequence[str] = ()
        self._pins: Mapping[str, str] = MappingProxyType({})
        self._by_key: Login | None = None
        self._helper: KeyHelper | None = None
        self._helper_layers: tuple[Layer, ...] | None = None

    def layers(self, *, now: bool = False) -> tuple[Layer, ...]:
        """Every source there is, most trusted first; the same tuple as long as no file changed."""
        file_layers = self._files.layers(now=now)
        if file_layers is not self._file_layers:
            self._file_layers, self._by_key = file_layers, None
            both = chain(self._fixed_layers, file_layers)
            self._layers = tuple(sorted(both, key=lambda layer: layer.trust, reverse=True))
            self._secrets = _secrets_in(self._layers)
            self._pins = _pins_in(_trusted(self._layers))
        return self._layers

    def find(self, *, subscription: str = "") -> Login | None:
        """The login there is now; `subscription` is what the CLI says of its own. Raises `UntrustedLoginError`."""
        try:
            login = choose_login(self.layers(), upstream=self._upstream, subscription=subscription)
        except UntrustedLoginError as error:
            raise UntrustedLoginError(" ".join(filter(None, (error.message, self._unconfirmed)))) from error
        if self._unconfirmed and (login is None or login.trust is not Trust.DOTENV):
            raise UntrustedLoginError(self._unconfirmed)
        return login

    def describe(self) -> str:
        """The login by key in words; "" where there is none."""
        try:
            return self._login_by_key().source
        except NoLoginError:
            return ""

    def problems(self) -> tuple[str, ...]:
        """Settings files that could not be used, one sentence each."""
        return tuple(layer.problem for layer in self.layers() if layer.problem)

    def secrets(self) -> Sequence[str]:
        """Every key and token that is known now: what must be in nothing that goes out."""
        self.layers()
        return [*self._secrets, self._helper.known] if self._helper and self._helper.known else self._secrets

    def pins(self) -> Mapping[str, str]:
        """Model lines that ANTHROPIC_DEFAULT_OPUS_MODEL and its sisters pin to a model id.

        A mark such as `[1m]`, by which Claude Code asks for a larger context, is not part of the id.
        """
        self.layers()
        return self._pins

    def cli_environment(self) -> dict[str, str]:
        """What Claude Code is always given: the user's own sources, nothing of a `.env` of the working directory."""
        return _with_base_url(dict(self._helper_environment()))

    def cli_keys(self) -> dict[str, str]:
        """What Claude Code is given besides where it has no other login: the keys that stand in `.env` alone, together
        with the base URL that stands there. A base URL never goes without the key that it belongs to, nor with another.
        """
        if any(find_variable(name, self._trusted()) for name in _KEYS):
            return {}
        found = {name: find_variable(name, self.layers()) for name in (*_KEYS, "ANTHROPIC_BASE_URL")}
        pair = {name: one.text for name, one in found.items() if one and one.trust is Trust.DOTENV}
        return _with_base_url(pair) if pair.keys() & set(_KEYS) else {}

    async def credential(self) -> Credential:
        """The login by key. Raises `NoLoginError`."""
        login = self._login_by_key()
        match login.kind:
            case "api_key" | "auth_token" as kind:
                return Credential(kind, login.secret, login.base_url, login.source)
            case _:
                key = await self._helper_of(login).key()
                return Credential("api_key_helper", key, login.base_url, login.source)

    async def refused(self, credential: Credential) -> bool:
        """Forget `credential`. True when a helper can print another one, or another login was set meanwhile."""
        self.layers(now=True)
        if credential.kind == "api_key_helper" and self._helper is not None:
            self._helper.forget(credential.secret)
            return True
        try:
            return await self.credential() != credential
        except NoLoginError:
            return False

    def _login_by_key(self) -> Login:
        layers = self.layers()
        if self._by_key is None:
            self._by_key = choose_login(layers, upstream="api")
        if self._by_key is None:
            raise NoLoginError(NO_LOGIN)
        return self._by_key

    def _trusted(self) -> tuple[Layer, ...]:
        return _trusted(self.layers())

    def _helper_of(self, login: Login) -> KeyHelper:
        if self._helper is None or self._helper_layers is not self._layers:
            self._helper_layers = self._layers
            command = self._helper_command(login)
            if self._helper is None or self._helper.command != command:
                self._helper = KeyHelper(command, clock=self._clock)
        return self._helper

    def _helper_command(self, login: Login) -> HelperCommand:
        home = self._environment.get("HOME") or self._environment.get("USERPROFILE")
        return HelperCommand(
            command=login.secret,
            source=login.source.removeprefix("apiKeyHelper from "),
            environment=dict(self._helper_environment()),
            directory=Path(home) if home else None,
            ttl=_helper_ttl(self._trusted()),
        )

    def _helper_environment(self) -> Iterator[tuple[str, str]]:
        """The user's own, as Claude Code hands it on; the keys of the proxy's clients stay out of it."""
        for layer in reversed(self._trusted()):
            yield from ((name, text) for name, text in layer.variables.items() if name != "PROXY_API_KEYS")


def _with_base_url(variables: dict[str, str]) -> dict[str, str]:
    """The base URL as the other upstream reads it: Claude Code, too, puts `/v1/messages` behind it."""
    if url := variables.get("ANTHROPIC_BASE_URL", "").strip():
        with suppress(ValueError):
            return {**variables, "ANTHROPIC_BASE_URL": api_base_url(url)}
    return variables


def _trusted(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    return tuple(layer for layer in layers if layer.trust >= Trust.CLAUDE_SETTINGS)


def _secrets_in(layers: tuple[Layer, ...]) -> list[str]:
    return [layer.variables[name] for layer in layers for name in _SECRETS if layer.variables.get(name)]


def _pins_in(layers: tuple[Layer, ...]) -> Mapping[str, str]:
    found = ((line, find_variable(f"ANTHROPIC_DEFAULT_{line.upper()}_MODEL", layers)) for line in LINES)
    return MappingProxyType({line: re.sub(r"\[[^]]*\]$", "", pin.text) for line, pin in found if pin})


def _helper_ttl(layers: tuple[Layer, ...]) -> float:
    found = find_variable("CLAUDE_CODE_API_KEY_HELPER_TTL_MS", layers)
    if found is None or not re.fullmatch(r"[0-9]{1,12}", found.text):
        return DEFAULT_TTL_SECONDS
    return int(found.text) / 1000
