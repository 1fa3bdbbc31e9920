"""Proof, once per CLI binary, that it sends what it is asked to send: the contract check.

A process with a made-up credential is pointed at an endpoint of our own on loopback, and the requests that arrive there
are compared with the expected ones, one after another as in the pool. A CLI that fails is not used: it never silently
sends something else.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import ProxyError, UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.translate.claude_code.contract import differences, in_order
from claude_openai_proxy.upstreams.claude_code.binary import NEWEST_TESTED, Binary, shown_command, update_command
from claude_openai_proxy.upstreams.claude_code.clearing import clear
from claude_openai_proxy.upstreams.claude_code.contract_endpoint import ContractEndpoint
from claude_openai_proxy.upstreams.claude_code.private import PrivateDirectory
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch, spawn
from claude_openai_proxy.upstreams.claude_code.turn import Turn
from claude_openai_proxy.upstreams.interface import AnswerFacts

CONTRACT_VERSION: Final = 2
"""Counted up when the samples or the comparison change, so that a binary is judged anew."""
TIMEOUT: Final = 30.0
_KEPT: Final = ("PATH", "LANG", "USER", "LOGNAME", "TZ", "SystemRoot")


class _Proof(Struct, frozen=True):
    path: str
    version: str
    size: int
    contract: int


async def prove(binary: Binary, environment: Mapping[str, str], state_dir: Path) -> bool:
    """Check the binary; False where `state_dir` holds the proof already.

    Raises `UpstreamProtocolError` that says what differs.
    """
    proof = _Proof(str(binary.path), binary.version, binary.size, CONTRACT_VERSION)
    record = state_dir / "claude-code-contract" / f"{_name(proof)}.json"
    if _recorded(record) == proof:
        return False
    found = await broken_promises(binary, environment)
    if found:
        raise UpstreamProtocolError(
            f"The Claude Code CLI {binary.version} does not send what it is asked to send, so it is not used: "
            f"{'; '.join(found)}. {_another(binary.path)}, or use an API key: claude-openai-proxy --upstream api"
        )
    _write(record, proof)
    return True


def _another(cli: Path) -> str:
    """How to get a version that keeps the contract: the newest, or the newest that was tested."""
    tested = ".".join(map(str, NEWEST_TESTED))
    other = shown_command(cli, "install", tested)
    return f"Update it: {update_command(cli)}, or take a version that was tested: {other}"


async def broken_promises(binary: Binary, environment: Mapping[str, str]) -> list[str]:
    """What arrives differently from what was asked, a phrase each; [] where the binary keeps the contract."""
    found: list[str] = []
    async with ContractEndpoint() as endpoint:
        private = await asyncio.to_thread(PrivateDirectory)
        try:
            process = await spawn(Launch(binary.path, _made_up(environment, str(private.scratch), endpoint.url)))
            try:
                for request in in_order():
                    found += await _compare(process, request, endpoint)
            except ProxyError as error:
                found.append(error.message)
            except TimeoutError:
                found.append("it does not forget a conversation")
            finally:
                await process.end(interrupt=False)
        finally:
            await asyncio.to_thread(private.remove)
    return list(dict.fromkeys(found))


def _made_up(environment: Mapping[str, str], home: str, url: str) -> dict[str, str]:
    """The environment of a process that can reach nothing but the endpoint of the check, with a made-up credential."""
    kept = {name: environment[name] for name in _KEPT if name in environment}
    made_up = {"CLAUDE_CODE_OAUTH_TOKEN": "made-up", "ANTHROPIC_BASE_URL": url, "NO_PROXY": "127.0.0.1"}
    return {**kept, "HOME": home, **made_up}


async def _compare(process: CliProcess, request: MessagesRequest, endpoint: ContractEndpoint) -> list[str]:
    endpoint.received.clear()
    turn = Turn(process, request, AnswerFacts(), now=0.0, timeout=TIMEOUT, deadline=None)
    await turn.begin()
    async for _ in turn:
        pass
    await clear(process, model=request.model, settled=turn.settled)
    if len(endpoint.received) != 1:
        return [f"one turn made {len(endpoint.received)} requests"]
    return differences(request, endpoint.received[0])


def _name(proof: _Proof) -> str:
    return hashlib.blake2b(msgspec.json.encode(proof), digest_size=8).hexdigest()


def _recorded(record: Path) -> _Proof | None:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(record.read_bytes(), type=_Proof)
    return None


def _write(record: Path, proof: _Proof) -> None:
    """A state directory that cannot be written to costs a check at each start, nothing else."""
    with suppress(OSError):
        record.parent.mkdir(parents=True, exist_ok=True)
        fresh = record.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(msgspec.json.encode(proof))
        fresh.replace(record)
