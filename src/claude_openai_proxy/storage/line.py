"""Works in line for the connection that writes; of those with one name, one."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from claude_openai_proxy.storage.committing import Job
from claude_openai_proxy.storage.interface import Work

MOST_JOBS: Final = 10_000
"""Works that may wait for the writer; what is posted beyond is dropped and counted."""


class Line:
    """First in, first out. Whoever calls holds a lock."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._named: dict[str, Job] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    def add(self, job: Job, *, however_many: bool = False) -> bool:
        """At the end; false where too many wait."""
        if len(self._jobs) >= MOST_JOBS and not however_many:
            return False
        self._jobs.append(job)
        if job.name:
            self._named[job.name] = job
        return True

    def replace(self, name: str, work: Work[Any]) -> bool:
        """Let what waits under this name be this; whether anything does."""
        if waiting := self._named.get(name):
            waiting.work = work
        return waiting is not None

    def take(self, most: int) -> list[Job]:
        """The first ones, as far as they may share a transaction."""
        taken: list[Job] = []
        while self._jobs and len(taken) < most and not (taken and (taken[-1].apart or self._jobs[0].apart)):
            taken.append(self._jobs.popleft())
            self._named.pop(taken[-1].name, None)
        return taken

    def put_back(self, jobs: Iterable[Job]) -> None:
        """What was taken, before all others; where one of its name has come since, that one's work in its place."""
        behind, self._jobs, self._named = self._jobs, deque(), {}
        for job in (*jobs, *behind):
            if not (job.name and self.replace(job.name, job.work)):
                self.add(job, however_many=True)

    def take_awaited(self) -> list[Job]:
        """All that somebody waits for."""
        awaited = [job for job in self._jobs if not job.posted]
        self._jobs = deque(job for job in self._jobs if job.posted)
        return awaited
