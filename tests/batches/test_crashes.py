"""A batch outlives its process: no line is lost or doubled, and Claude is asked once, wherever the process dies."""

import asyncio
import itertools
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from batches.files import chat, create, ended, jsonl, line, results
from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.app.wiring import wire
from claude_openai_proxy.settings import Flags, Settings, load_settings
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.simulator.loose_json import object_in
from claude_openai_proxy.simulator.received import ReceivedRequest
from cli.running import Command, running
from web.serving import served

LINES = 12
DEATHS = 10
AT_RESULTS = 2
"""The last of them."""
CREATE = "POST /v1/messages/batches"


class Watched:
    """Sees each request about batches at Claude's side, and does something after the n-th has been carried out."""

    def __init__(self, simulator: Simulator) -> None:
        self.asked: list[str] = []
        self.do: Callable[[int, str], Script | None] = _nothing
        self._script = simulator.batches.script
        simulator.batches.script = self._watched  # type: ignore[method-assign]  # what stands between is the test's

    def _watched(self, request: ReceivedRequest) -> Script:
        what = f"{request.method} {request.path}"
        self.asked.append(what)
        script = self._script(request)
        return self.do(len(self.asked), what) or script


@pytest.fixture
def watched(simulator: Simulator) -> Watched:
    return Watched(simulator)


async def test_ten_deaths_lose_nothing_and_double_nothing(
    simulator: Simulator, watched: Watched, environment: dict[str, str], tmp_path: Path
) -> None:
    """Each process dies in the middle of a request to Claude's side, whose answer it never sees."""
    chance = random.Random(16)
    simulator.batches.seconds = 3600
    batch = None
    for death in range(DEATHS + 1):
        if death == DEATHS - AT_RESULTS:
            for made in simulator.batches.all.values():
                made.seconds = 0.0
        with running("serve", "--port", "0", home=tmp_path, extra=environment) as command:
            # Said before anything is waited for: it goes on with the batch as soon as it has started.
            watched.do = _death(death, command, len(watched.asked) + chance.randint(1, 3))
            if batch is None:
                async with client_of(command) as client:
                    content = jsonl(line(f"r{number}", chat(f"Number {number}")) for number in range(LINES))
                    batch = await create(client, content)
            if death < DEATHS:
                await asyncio.to_thread(command.end)
                continue
            async with client_of(command) as client:
                batch = await ended(client, batch)
                told = await results(client, batch.output_file_id)
            assert batch.status == "completed"
            assert [one["custom_id"] for one in told] == [f"r{number}" for number in range(LINES)]
    assert [len(made.requests) for made in simulator.batches.all.values()] == [LINES]
    assert watched.asked.count(CREATE) == 1


@asynccontextmanager
async def client_of(command: Command) -> AsyncIterator[AsyncOpenAI]:
    """Of a server that has started."""
    port = await asyncio.to_thread(command.port)
    async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as client:
        yield client


async def started(stack: AsyncExitStack, settings: Settings) -> tuple[AsyncOpenAI, Stores]:
    """A proxy in this process, a client of it, and its stores."""
    wiring = wire(settings)
    url = await stack.enter_async_context(served(wiring.application))
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
    return await stack.enter_async_context(client), wiring.stores


async def freed(settings: Settings) -> None:
    """The lease of a dead process has ended."""
    with closing(sqlite3.connect(settings.storage.directory / "state.db")) as database:
        database.execute("UPDATE batches SET held_until = 0")
        database.commit()


def _nothing(_number: int, _what: str) -> Script | None:
    return None


def _death(death: int, command: Command, number: int) -> Callable[[int, str], Script | None]:
    """At request `number`, at last at the results, and then none."""
    if death < DEATHS - AT_RESULTS:
        return _kill_at(number, command)
    return _kill_at_results(command) if death < DEATHS else _nothing


def _kill_at_results(command: Command) -> Callable[[int, str], Script | None]:
    def do(_: int, what: str) -> Script | None:
        if what.endswith("/results"):
            command.signal(signal.SIGKILL)
        return None

    return do


def _kill_at(number: int, command: Command) -> Callable[[int, str], Script | None]:
    def do(so_far: int, _what: str) -> Script | None:
        if so_far == number:
            command.signal(signal.SIGKILL)
        return None

    return do


CHANGES = ("add_lines", "begin_part", "save_part", "set_line", "end_line", "save")
FILE_CHANGES = ("begin", "add", "complete", "unpin")


class Death(BaseException):
    """Of a process: nothing after it is done any more."""


def dies_at(kept: object, names: tuple[str, ...], step: Callable[[], bool]) -> None:
    """Each change of a store is a step; the deadly one is not made."""
    for name in names:
        original = getattr(kept, name)

        async def changed(*args: object, _original: Callable[..., object] = original, **kwargs: object) -> object:
            if step():
                raise Death
            return await _original(*args, **kwargs)  # type: ignore[misc]  # every change is awaited

        setattr(kept, name, changed)


async def test_a_death_before_any_step_of_its_own_loses_nothing(
    simulator: Simulator, watched: Watched, environment: dict[str, str], tmp_path: Path
) -> None:
    """Every step once: the process that takes over finds what the dead one has kept."""
    for deaths in itertools.count():
        home = tmp_path / str(deaths)
        home.mkdir()
        simulator.batches.all.clear()
        watched.asked.clear()
        settings = load_settings(Flags(), environment | {"HOME": str(home)}, home)
        survived = await _lives(settings, deaths)
        await freed(settings)
        async with AsyncExitStack() as stack:
            client, _ = await started(stack, settings)
            (batch,) = (await client.batches.list()).data
            batch = await ended(client, batch)
            assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["a", "c"]
            assert [one["custom_id"] for one in await results(client, batch.error_file_id)] == ["b"]
            assert [len(made.requests) for made in simulator.batches.all.values()] == [3]
        if survived:
            assert deaths > 12
            return


async def _lives(settings: Settings, deaths: int) -> bool:
    """Whether the batch ends before so many changes have been made."""
    dead, steps = asyncio.Event(), itertools.count(1)

    def step() -> bool:
        if next(steps) > deaths:
            dead.set()
        return dead.is_set()

    async with AsyncExitStack() as stack:
        client, kept = await started(stack, settings)
        dies_at(kept.batches, CHANGES, step)
        dies_at(kept.files, FILE_CHANGES, step)
        lines = [line("a", chat()), line("b", chat(n=0)), line("c", chat(n=2))]
        batch = await create(client, jsonl(lines))
        waiting = [asyncio.create_task(ended(client, batch)), asyncio.create_task(dead.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return not dead.is_set()


async def test_two_proxies_of_one_store_work_on_a_batch_once(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(Flags(), environment, tmp_path)
    async with AsyncExitStack() as stack:
        clients = [(await started(stack, settings))[0] for _ in range(2)]
        made = [await create(clients[number % 2], jsonl([line(str(number), chat())])) for number in range(6)]
        for number, batch in enumerate(made):
            output = (await ended(clients[(number + 1) % 2], batch)).output_file_id
            (told,) = await results(clients[number % 2], output)
            assert told["custom_id"] == str(number)
    assert [len(one.requests) for one in simulator.batches.all.values()] == [1] * 6


async def test_a_create_that_claude_did_although_it_said_no_is_adopted(
    client: AsyncOpenAI, simulator: Simulator, watched: Watched
) -> None:
    watched.do = lambda _, what: Script.error(502, "Bad gateway") if what == CREATE else None
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    assert batch.status == "completed"
    assert len(simulator.batches.all) == 1


async def test_a_batch_of_somebody_else_is_not_adopted(
    client: AsyncOpenAI, simulator: Simulator, watched: Watched
) -> None:
    """The workspace's list shows everybody's, and one may look just like ours."""

    def do(_: int, what: str) -> Script | None:
        if what != CREATE or watched.asked.count(CREATE) > 1:
            return None
        (ours,) = simulator.batches.all.values()
        for request in ours.requests:
            request["custom_id"] = "theirs-1-0"
        return Script.error(502, "Bad gateway")

    watched.do = do
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    (told,) = await results(client, batch.output_file_id)
    assert told["custom_id"] == "a"
    assert watched.asked.count(CREATE) == 2


@pytest.mark.parametrize("status", [429, 529])
async def test_a_create_that_is_put_off_is_asked_again(
    client: AsyncOpenAI, simulator: Simulator, watched: Watched, status: int
) -> None:
    def do(_: int, what: str) -> Script | None:
        if what == CREATE and watched.asked.count(CREATE) < 4:
            simulator.batches.all.clear()
            return Script.error(status, "Later.", headers=(("retry-after", "0"),))
        return None

    watched.do = do
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    assert batch.status == "completed"
    assert watched.asked.count(CREATE) == 4


@pytest.mark.parametrize(
    ("status", "type_", "code"),
    [
        (401, None, "authentication_error"),
        (403, None, "permission_error"),
        (400, "billing_error", "insufficient_quota"),
    ],
)
async def test_a_create_that_is_refused_fails_the_batch(
    client: AsyncOpenAI, simulator: Simulator, watched: Watched, status: int, type_: str | None, code: str
) -> None:
    message = "Your credit balance is too low to access the Anthropic API." if type_ else "No."

    def do(_: int, what: str) -> Script | None:
        if what != CREATE:
            return None
        simulator.batches.all.clear()
        return Script.error(status, message, error_type=type_)

    watched.do = do
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    assert batch.status == "failed"
    assert batch.errors is not None
    assert [one.code for one in batch.errors.data or []] == [code]
    assert watched.asked.count(CREATE) == 1


async def test_a_create_that_is_too_large_is_halved(
    client: AsyncOpenAI, simulator: Simulator, watched: Watched
) -> None:
    def do(_: int, what: str) -> Script | None:
        made = list(simulator.batches.all.values())
        if what != CREATE or len(made[-1].requests) <= 2:
            return None
        del simulator.batches.all[made[-1].id]
        return Script.error(413, "Too large.")

    watched.do = do
    lines = [line(str(number), chat("x" * 300_000)) for number in range(8)]
    batch = await ended(client, await create(client, jsonl(lines)))
    assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == [str(n) for n in range(8)]


async def test_looks_that_fail_for_a_while_change_nothing(
    client: AsyncOpenAI, simulator: Simulator, watched: Watched
) -> None:
    """404 for a moment after a good create, 500, garbage; results that break off in the middle of a line."""
    troubles = [
        Script.error(404, "batch: unknown"),
        Script.error(500, "Oops."),
        Script(body=b"<html>", content_type="text/html"),
    ]
    cut = Script(body=b'{"custom_id": "x", "resul', content_type="application/x-jsonl")
    late = [cut, Script.error(500, "Oops.")]

    def do(_: int, what: str) -> Script | None:
        if what.endswith("/results"):
            return late.pop() if late else None
        return troubles.pop() if what != CREATE and troubles else None

    watched.do = do
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["a"]
    assert (troubles, late) == ([], [])
    assert len(simulator.batches.all) == 1


async def test_a_name_means_what_it_meant_when_the_file_was_read(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    """Another alias, another program's table: what was asked is translated back all the same."""
    simulator.batches.seconds = 3600
    settings = load_settings(Flags(), environment | {"MODEL_ALIASES": "mine=claude-sonnet-5-5"}, tmp_path)
    async with AsyncExitStack() as stack:
        client, _ = await started(stack, settings)
        batch = await create(client, jsonl([line("a", chat() | {"model": "mine"})]))
        while not simulator.batches.all:
            await client.batches.retrieve(batch.id)
    await freed(settings)
    (made,) = simulator.batches.all.values()
    made.seconds = 0
    changed = load_settings(Flags(), environment | {"MODEL_ALIASES": "mine=claude-haiku-4-5"}, tmp_path)
    async with AsyncExitStack() as stack:
        client, _ = await started(stack, changed)
        output = (await ended(client, batch)).output_file_id
        (told,) = await results(client, output)
    assert told["response"]["body"]["model"] == "mine"
    assert [object_in(request["params"])["model"] for request in made.requests] == ["claude-sonnet-5-5"]
    assert len(simulator.batches.all) == 1
