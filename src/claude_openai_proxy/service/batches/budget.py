"""The daily budget of a client key, kept for a batch in Message Batches from its first request to its last answer.

What is kept is half of what its lines may cost; when it ends, what they cost takes its place. Lines that are answered
one by one reserve for themselves, as live requests do.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from claude_openai_proxy.errors import PlanSpentError
from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.service.allowances import Allowances, Amount
from claude_openai_proxy.service.batches.desk import BatchFailedError, Desk
from claude_openai_proxy.service.batches.document import Document
from claude_openai_proxy.service.batches.line_run import HALF


def principal_of(document: Document, id_: str) -> Principal:
    """Who made the batch, as they were then; lines do not count as requests or tokens of a minute."""
    budget = document.daily_budget
    limits = None if budget is None else KeyLimits(dollars_a_day=budget)
    return Principal(document.principal_name, id_, document.principal_models, limits=limits)


@asynccontextmanager
async def reserved(desk: Desk, allowances: Allowances) -> AsyncIterator[None]:
    """Inside it the budget is kept. Raises `BatchFailedError` where it is not enough, and nothing was asked yet."""
    document = desk.document
    if document.daily_budget is None or document.mode != "native":
        yield
        return
    reservation = None
    try:
        amount = Amount(dollars=HALF * document.estimate)
        reservation = await allowances.reserve(principal_of(document, desk.batch.principal), amount)
    except PlanSpentError as error:
        if not document.in_progress:
            raise BatchFailedError("insufficient_quota", error.message) from error
    try:
        yield
    finally:
        if reservation is not None:
            reservation.settle(Amount(dollars=desk.spent))
