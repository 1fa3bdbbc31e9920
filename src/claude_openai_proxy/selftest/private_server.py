"""A server of our own for a while: on this machine alone, on a free port, ended when we end, however we do."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Final

END_SECONDS: Final = 10.0

_LISTENS: Final = re.compile(rb"^Listening on (http://127\.0\.0\.1:\d+)")


class NoServerError(Exception):
    """It did not start; what it said of that."""


@contextmanager
def private_server(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Its address, without `/v1`; `words` are flags of `serve`. Raises `NoServerError`."""
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", "claude_openai_proxy", "serve", *words, "--end-with", str(ours)]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*command, "--host", "127.0.0.1", "--port", "0"],
            env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
            pass_fds=(ours,),
        )  # fmt: skip
        os.close(ours)
        assert process.stdout is not None, "a pipe was asked for"
        with process.stdout as output:
            try:
                yield _address(output, complaints)
            finally:
                os.close(theirs)
                _end(process)


def _address(output: IO[bytes], complaints: IO[bytes]) -> str:
    for line in output:
        if found := _LISTENS.match(line):
            return found[1].decode()
    complaints.seek(0)
    said = complaints.read().decode("utf-8", "replace").strip().splitlines()
    raise NoServerError(said[-1] if said else "The server ended without a word.")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
