"""Putting a server together makes objects and does nothing else."""

import asyncio
import logging
import os
import signal
import threading
from pathlib import Path

from claude_openai_proxy.app.wiring import create_app, wire
from claude_openai_proxy.settings import Flags, load_settings
from web.direct import HELLO, call

DESCRIPTORS = Path("/proc/self/fd")


def effects() -> dict[str, object]:
    """What of this process a library had better leave alone."""
    root = logging.getLogger()
    return {
        "handlers": list(root.handlers),
        "level": root.level,
        "loggers": {name: logging.getLogger(name).level for name in ("asyncio", "uvicorn", "uvicorn.error")},
        "signals": [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)],
    }


def held() -> tuple[set[threading.Thread], int]:
    """Threads and open files. What earlier tests have left may end at any moment."""
    return set(threading.enumerate()), len(list(DESCRIPTORS.iterdir())) if DESCRIPTORS.exists() else 0


def test_wiring_has_no_effect_on_the_process(tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "PROXY_API_KEYS": "ann:a-long-enough-key",
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    }
    settings = load_settings(Flags(), environment, tmp_path)
    before, files = effects(), sorted(tmp_path.rglob("*"))
    threads, descriptors = held()
    wirings = [wire(settings), wire(settings)]
    assert effects() == before
    assert held()[0] <= threads
    assert held()[1] <= descriptors
    assert sorted(tmp_path.rglob("*")) == files
    assert wirings[0].application is not wirings[1].application


def test_a_server_may_be_put_together_after_a_fork(tmp_path: Path) -> None:
    settings = load_settings(Flags(demo=True), {"HOME": str(tmp_path)}, tmp_path)
    create_app(settings)
    child = os.fork()
    if child == 0:
        status = 0
        try:
            status = asyncio.run(call(create_app(settings), body=HELLO)).status
        finally:
            os._exit(0 if status == 200 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
