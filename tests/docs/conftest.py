"""One demo server for all examples."""

from collections.abc import Iterator

import pytest

from docs.demo_server import DemoServer, demo_server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    with demo_server(tmp_path_factory.mktemp("demo")) as server:
        yield server
