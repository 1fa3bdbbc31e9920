"""The keys that open the door, from the settings and from what is stored."""

import time
from functools import partial

from claude_openai_proxy.app.installation import installation_key, may_be_stored, operator_credential
from claude_openai_proxy.app.pseudonyms import principal_ids
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.settings import Settings


def client_keys(settings: Settings, kept: Stores) -> ClientKeys:
    """The keys that open the door, wherever they are kept."""
    return ClientKeys(
        store=kept.client_keys,
        clock=time.monotonic,
        wall_clock=time.time,
        configured={key.secret.reveal(): key.name for key in settings.client_keys},
        principal_id=principal_ids(settings.client_keys, installation_key(settings)),
        credential=partial(operator_credential, settings),
        may_be_stored=partial(may_be_stored, settings),
    )
