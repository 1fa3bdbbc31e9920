"""The doors, as the settings ask for them."""

from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.web.doors import Doors


def doors(settings: Settings, keys: ClientKeys) -> Doors:
    """Who is let in: by name, by origin, by key."""
    return Doors(
        keys=keys,
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        public=settings.public,
    )
