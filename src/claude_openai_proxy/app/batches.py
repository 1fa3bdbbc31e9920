"""Batches, as the settings ask for them."""

import os
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from claude_openai_proxy.app.money import Money
from claude_openai_proxy.app.sight import Sight
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.records import Principal, RecordReader, RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.batches.asking import Pace
from claude_openai_proxy.service.batches.batches import Batches
from claude_openai_proxy.service.batches.collector import TROUBLE_SECONDS, Collector
from claude_openai_proxy.service.batches.gate import Gate
from claude_openai_proxy.service.batches.ways import BatchWays
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.service.envelopes import Envelopes
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.models import ModelCatalog, Models
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.storage.batches import StoredBatch
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.web.batches.dialects import Kit, line_dialects, refusal_of

_BORN: Final = secrets.token_hex(8)
"""This process, and whoever it forks: those have other numbers."""


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What clients ask, and what works on what they asked."""

    batches: Batches
    collector: Collector
    files: Files


def batches(
    settings: Settings,
    kept: Stores,
    upstreams: UpstreamChoice,
    catalog: ModelCatalog,
    places: Places,
    *,
    spending: Money,
    background: BackgroundResponses,
    files: Files,
    seen: Sight,
    keys: ClientKeys,
) -> BatchParts:
    """Whoever sees requests is told of each line that Claude was asked for; the log is not: there may be thousands."""

    ways = _ways(settings, kept, upstreams, catalog, places, spending=spending, state=background.state, files=files)
    ways.told = lambda record: _tell(seen.readers, record)
    collector = Collector(
        store=kept.batches,
        files=kept.files,
        begin=ways.begin,
        new_holder=new_holder,
        is_dead=is_dead,
        wall_clock=time.time,
        is_revoked=lambda batch: _is_revoked(keys, batch),
        trouble=min(TROUBLE_SECONDS, settings.batches.poll_seconds),
    )
    made = Batches(
        store=kept.batches,
        files=kept.files,
        room=settings.storage.files_mb * 1024 * 1024,
        dialects=ways.dialects,
        way=ways.choose,
        wake=collector.wake,
        wall_clock=time.time,
    )
    return BatchParts(made, collector, files)


def _ways(
    settings: Settings,
    kept: Stores,
    upstreams: UpstreamChoice,
    catalog: ModelCatalog,
    places: Places,
    *,
    spending: Money,
    state: ResponseState,
    files: Files,
) -> BatchWays:
    asked = settings.batches
    return BatchWays(
        kind=asked.kind,
        upstreams=upstreams,
        catalog=catalog,
        store=kept.batches,
        files=kept.files,
        dialects=line_dialects(_kit(settings, kept, state, files)),
        refuses=lambda error: refusal_of(error, now=time.time()),
        vault=ReasoningVault(kept.reasoning),
        allowances=spending.allowances,
        gate=_gate(settings, places, spending),
        live=partial(_live, upstreams, places, spending, kept),
        pace=Pace(asked.poll_seconds, asked.adopt_seconds),
        delete_upstream=asked.delete_upstream,
        longest=settings.max_body_mb * 1024 * 1024,
        queued=asked.queued_lines,
        emulated_lines=asked.emulated_lines,
        clock=time.monotonic,
        wall_clock=time.time,
    )


async def _is_revoked(keys: ClientKeys, batch: StoredBatch) -> bool:
    if keys.stale:
        await keys.refresh()
    key = keys.stored(Principal("", batch.principal))
    return key is not None and key.revoked is not None


def _live(upstreams: UpstreamChoice, places: Places, spending: Money, kept: Stores, models: Models) -> Admissions:
    """For lines that are answered one by one: without a fallback, which would charge somebody else."""
    return Admissions(
        upstreams=upstreams,
        catalog=models,
        places=places,
        clock=time.monotonic,
        note_limits=spending.meter.note,
        guard=spending.guard,
        allowances=spending.allowances,
        vault=ReasoningVault(kept.reasoning),
    )


def _gate(settings: Settings, places: Places, spending: Money) -> Gate:
    return Gate(
        places=places,
        meter=spending.meter,
        clock=time.monotonic,
        wall_clock=time.time,
        share=settings.batches.plan_share,
        most=settings.batches.concurrency,
    )


def _kit(settings: Settings, kept: Stores, state: ResponseState, files: Files) -> Kit:
    return Kit(
        files=files,
        envelopes=Envelopes(kept.seal),
        state=state,
        reject_unsupported=settings.unsupported_parameters == "reject",
        new_id=lambda prefix: prefix + os.urandom(24).hex(),
        wall_clock=time.time,
    )


def _tell(readers: Sequence[RecordReader], record: RequestRecord) -> None:
    for reader in readers:
        reader.started(record)
        reader.ended(record)


def new_holder() -> str:
    """Names this process, and one of its collectors."""
    return f"{socket.gethostname()} {os.getpid()} {_BORN} {secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Whether a process that held a lease is known to be gone: one of this machine whose number nobody has now.

    This process's own number may have been another's, in a container for instance.
    """
    host, _, rest = holder.partition(" ")
    number, _, rest = rest.partition(" ")
    if host != socket.gethostname() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return not rest.startswith(_BORN)
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
