"""A row of the ledger, for tests to vary."""

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.storage.ledger import HOUR

DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR
"""Of 2024-10-04."""

ROW = LedgerRow(
    id="req_1",
    at=NOON,
    principal="key_1",
    key="ann",
    client="OpenAI/Python",
    route="/v1/chat/completions",
    dialect="chat",
    model_asked="sonnet",
    model_used="claude-sonnet-5-5",
    upstream="api",
    billed="api",
    status=200,
    finish_reason="stop",
    error="",
    stream=True,
    choices=1,
    speed="",
    input_tokens=1_000,
    cached_tokens=600,
    cache_write_tokens=300,
    cache_write_1h_tokens=100,
    output_tokens=50,
    thinking_tokens=20,
    web_searches=1,
    list_price=0.25,
    has_list_price=True,
    charged=0.25,
    first_token_ms=120,
    total_ms=900,
    repairs="connect_retried",
    upstream_request_id="req_up",
)
