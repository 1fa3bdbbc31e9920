"""What must not go out, whoever quotes it: secrets, and the places of this machine."""

import sys
from urllib.parse import unquote, urlsplit

from claude_openai_proxy.settings import Secret, Settings
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.upstreams.selection import SelectedUpstream
from claude_openai_proxy.web.blotting import Blotter


def blotter(settings: Settings, upstreams: UpstreamChoice) -> Blotter:
    """Takes them out of texts."""
    network = settings.network
    own = [key.secret.reveal() for key in settings.client_keys]
    own += [password for proxy in (network.http_proxy, network.https_proxy) if (password := _password(proxy))]
    own += [password] if (password := _password(settings.storage.database)) else []
    places = {
        settings.claude_cli_path or "": "CLAUDE_CLI_PATH",
        settings.environment.get("HOME", ""): "~",
        sys.prefix: "(Python's folder)",
        str(settings.dotenv_path.parent): ".",
    }

    def secrets() -> list[str]:
        return [*own, *upstreams.logins.secrets()] if isinstance(upstreams, SelectedUpstream) else own

    return Blotter(secrets, places)


def _password(proxy: Secret | None) -> str:
    return unquote(urlsplit(proxy.reveal()).password or "") if proxy else ""
