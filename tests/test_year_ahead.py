"""What is started has the clock of the tests, whatever environment it gets: of interest to `.ci/year-ahead`."""

import asyncio
import subprocess
import sys
import time

CLOCK = [sys.executable, "-c", "import time; print(time.time())"]
A_DAY = 24 * 60 * 60


def test_of_a_program_that_a_test_starts() -> None:
    told = subprocess.run(CLOCK, env={}, capture_output=True, check=True).stdout
    assert abs(float(told) - time.time()) < A_DAY


async def test_of_a_program_that_asyncio_starts() -> None:
    process = await asyncio.create_subprocess_exec(*CLOCK, env={}, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert abs(float(told) - time.time()) < A_DAY
