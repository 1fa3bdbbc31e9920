"""The Responses dialect of a server, on its stores."""

import os
import time

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.envelopes import Envelopes
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.responses import ResponsesService
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.web.body import Bodies
from claude_openai_proxy.web.responses.responses import Responses


def responses(
    settings: Settings,
    kept: Stores,
    admissions: Admissions,
    *,
    background: BackgroundResponses,
    files: Files,
    bodies: Bodies,
) -> Responses:
    """`POST /v1/responses`."""
    service = ResponsesService(
        admissions=admissions,
        files=files,
        envelopes=Envelopes(kept.seal),
        state=background.state,
        reject_unsupported=settings.unsupported_parameters == "reject",
        new_id=lambda prefix: prefix + os.urandom(24).hex(),
        wall_clock=time.time,
    )
    return Responses(service, background, bodies=bodies, clock=time.monotonic, wall_clock=time.time)
