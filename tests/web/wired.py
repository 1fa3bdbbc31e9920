"""The application as it is wired in these tests: fakes inside, a record keeper, a clock."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.service.allowances import Allowances, OwnAllowances
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.batches.batches import Batches, ChosenWay
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.service.conversations import Conversations
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.plan_meter import PlanMeter
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.server_status import ServerStatus
from claude_openai_proxy.service.stored_completions import StoredCompletions
from claude_openai_proxy.service.usage import Usage
from claude_openai_proxy.service.usage_overview import UsageOverview
from claude_openai_proxy.service.usage_sessions import UsageSessions
from claude_openai_proxy.storage.batches_memory import MemoryBatches
from claude_openai_proxy.storage.client_keys import ClientKeyStore, MemoryClientKeys
from claude_openai_proxy.storage.files import FileStore
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.storage.ledger import LedgerStore, MemoryLedger
from claude_openai_proxy.storage.login_limits import MemoryLoginLimits
from claude_openai_proxy.storage.responses import ResponseStore
from claude_openai_proxy.storage.responses_memory import MemoryResponses
from claude_openai_proxy.storage.usage_links import MemoryUsageLinks, UsageLinkStore
from claude_openai_proxy.telemetry.live_log import LiveLog
from claude_openai_proxy.telemetry.metrics import RequestMetrics
from claude_openai_proxy.web.application import Application
from claude_openai_proxy.web.batches.batches import BatchPages
from claude_openai_proxy.web.body import Bodies
from claude_openai_proxy.web.chat.completions import ChatCompletions
from claude_openai_proxy.web.chat.stored import StoredCompletionPages
from claude_openai_proxy.web.completions.completions import Completions
from claude_openai_proxy.web.conversations.conversations import ConversationPages
from claude_openai_proxy.web.doors import Doors
from claude_openai_proxy.web.files.files import FilePages
from claude_openai_proxy.web.messages.messages import Messages
from claude_openai_proxy.web.models import ModelPages
from claude_openai_proxy.web.pages.health import HealthPage
from claude_openai_proxy.web.pages.key import KeyPage
from claude_openai_proxy.web.pages.live import LivePages
from claude_openai_proxy.web.pages.metrics import MetricsPage
from claude_openai_proxy.web.pages.page import Page
from claude_openai_proxy.web.pages.plan import PlanPage
from claude_openai_proxy.web.pages.usage import UsagePage
from claude_openai_proxy.web.responses.responses import Responses
from claude_openai_proxy.web.responses.socket import ResponsesSocket
from claude_openai_proxy.web.responses.stored import StoredResponsePages
from claude_openai_proxy.web.routes import OwnPages, make_router
from claude_openai_proxy.web.visitor import TrustedProxies
from web.fake_service import FakeCatalog, FakeChat, FakeCompletions, FakeHealth, FakeLines, FakeMessages, FakeResponses

NOW = 1_800_000_000.0


async def nothing() -> None:
    pass


async def nobody_spent(_: str, __: float) -> float:
    return 0.0


@dataclass
class Clock:
    """Stands still unless told to move, or set to tick at every look."""

    now: float = 100.0
    tick: float = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@dataclass
class Keeper(RecordReader):
    """Keeps what record readers are told, in order."""

    told: list[str] = field(default_factory=list)
    records: list[RequestRecord] = field(default_factory=list)

    start: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)

    def started(self, record: RequestRecord) -> None:
        self.told.append("started")
        self.records.append(record)
        self.start.set()

    def first_token(self, record: RequestRecord) -> None:
        self._tell("first_token", record)

    def ended(self, record: RequestRecord) -> None:
        self._tell("ended", record)
        self.end.set()

    def _tell(self, what: str, record: RequestRecord) -> None:
        assert record in self.records
        self.told.append(what)


@dataclass
class Wired:
    """`app` is made when first asked for, from what was set before."""

    chat: FakeChat = field(default_factory=FakeChat)
    health: FakeHealth = field(default_factory=FakeHealth)
    keeper: Keeper = field(default_factory=Keeper)
    clock: Clock = field(default_factory=Clock)
    keys: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    public: bool = False
    stored_keys: ClientKeyStore = field(default_factory=MemoryClientKeys)
    meter: PlanMeter = field(default_factory=lambda: PlanMeter(store=MemoryLoginLimits(), wall_clock=lambda: NOW))
    credential: str = ""
    """The operator's."""
    wall_clock: float = NOW
    """Of sessions."""
    usage_links: UsageLinkStore = field(default_factory=MemoryUsageLinks)
    ledger: LedgerStore = field(default_factory=MemoryLedger)
    files: FileStore = field(default_factory=MemoryFiles)
    responses: ResponseStore | None = field(default_factory=MemoryResponses)
    files_room: int = 1_000_000
    trusted_proxies: tuple[str, ...] = ()
    blot: Callable[[str], str] = str
    bodies: Bodies | None = None
    body_limit: int = 1_000_000
    keep_alive_seconds: float = 15.0
    idle_seconds: float = 30.0
    total_seconds: float = 300.0
    principal_id: Callable[[str], str] = str
    remains: str = ""
    allowances: Allowances = field(
        default_factory=lambda: OwnAllowances(clock=lambda: 0.0, wall_clock=lambda: NOW, spent=nobody_spent)
    )
    live: LiveLog = field(default_factory=lambda: LiveLog(wall_clock=lambda: NOW))
    metrics: RequestMetrics = field(default_factory=RequestMetrics)
    startup: Callable[[], Awaitable[None]] = nothing
    shutdown: Callable[[], Awaitable[None]] = nothing

    @cached_property
    def state(self) -> ResponseState:
        """What the application keeps of responses, too."""
        numbers = itertools.count(1)
        return ResponseState(self.responses, lambda prefix: f"{prefix}{next(numbers)}", "runner", lambda: NOW)

    def status(self) -> ServerStatus:
        return ServerStatus(
            health=self.health,
            meter=self.meter,
            ledger=self.ledger,
            live=self.live,
            wall_clock=lambda: NOW,
            flush=nothing,
        )

    def _batches(self) -> Batches:
        async def native() -> ChosenWay:
            return ChosenWay("native", "api")

        return Batches(
            store=MemoryBatches(),
            files=self.files,
            room=self.files_room,
            dialects={"/v1/chat/completions": FakeLines()},
            way=native,
            wake=lambda _: None,
            wall_clock=lambda: NOW,
        )

    def app(self) -> Application:
        bodies = self.bodies or Bodies(
            limit=self.body_limit, idle_seconds=self.idle_seconds, total_seconds=self.total_seconds
        )
        completions = Completions(FakeCompletions(), bodies=bodies, clock=self.clock, wall_clock=lambda: NOW)
        messages = Messages(FakeMessages(), bodies=bodies, clock=self.clock)
        file_ids = (f"file-{number}" for number in itertools.count(1))
        files = Files(store=self.files, room=self.files_room, new_id=lambda: next(file_ids), wall_clock=lambda: NOW)
        chat = ChatCompletions(
            self.chat,
            bodies=bodies,
            files=files,
            clock=self.clock,
            wall_clock=lambda: NOW,
            keep_alive_seconds=self.keep_alive_seconds,
        )
        client_keys = ClientKeys(
            store=self.stored_keys,
            clock=self.clock,
            wall_clock=lambda: NOW,
            configured=self.keys,
            principal_id=self.principal_id,
            credential=lambda: self.credential,
        )
        background = BackgroundResponses(self.state)
        codes = (f"{number:032x}" for number in itertools.count(1))
        ids = (f"req-{number}" for number in itertools.count(1))
        return Application(
            router=make_router(
                chat=chat,
                completions=completions,
                messages=messages,
                socket=ResponsesSocket(clock=self.clock),
                responses=Responses(
                    FakeResponses(), background, bodies=bodies, clock=self.clock, wall_clock=lambda: NOW
                ),
                models=ModelPages(FakeCatalog()),
                own=OwnPages(
                    health=HealthPage(self.health),
                    page=Page(self.health, needs_key=lambda: bool(self.keys), remains=self.remains),
                    key=KeyPage(client_keys, self.allowances),
                    plan=PlanPage(self.meter),
                    usage=UsagePage(
                        Usage(self.ledger, wall_clock=lambda: NOW),
                        UsageOverview(self.ledger, limits=self.meter.reports, wall_clock=lambda: NOW),
                        UsageSessions(
                            self.usage_links,
                            credential=lambda: self.credential,
                            new_code=lambda: next(codes),
                            wall_clock=lambda: self.wall_clock,
                        ),
                    ),
                    live=LivePages(self.status(), self.live, keep_alive_seconds=self.keep_alive_seconds),
                    metrics=MetricsPage(self.metrics.families, health=self.health, meter=self.meter),
                ),
                files=FilePages(files, bodies=bodies),
                batches=BatchPages(self._batches(), bodies=bodies),
                stored_completions=StoredCompletionPages(StoredCompletions(self.state), bodies=bodies),
                stored_responses=StoredResponsePages(background, clock=self.clock),
                conversations=ConversationPages(Conversations(self.state), bodies=bodies),
            ),
            doors=Doors(
                keys=client_keys,
                allowed_hosts=self.allowed_hosts,
                allowed_origins=self.allowed_origins,
                public=self.public,
            ),
            clock=self.clock,
            wall_clock=lambda: NOW,
            new_id=lambda: next(ids),
            readers=[self.keeper, self.metrics, self.live],
            blot=self.blot,
            trusted=TrustedProxies(self.trusted_proxies),
            startup=self.startup,
            shutdown=self.shutdown,
        )
