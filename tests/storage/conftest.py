"""What tests of what is stored may use."""

from collections.abc import AsyncIterator

import pytest

from claude_openai_proxy.storage.postgresql import PostgreSQLDatabase
from storage.databases import postgresql_at


@pytest.fixture
async def database(postgresql_url: str) -> AsyncIterator[PostgreSQLDatabase]:
    made = postgresql_at(postgresql_url)
    made.open()
    yield made
    await made.aclose()
