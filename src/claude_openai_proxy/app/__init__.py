"""The one place where objects are made and put together."""

from claude_openai_proxy.app.upstreams import demo_upstream, selected_upstream
from claude_openai_proxy.app.wiring import Pins, Wiring, chat_service, create_app, model_catalog, wire
from claude_openai_proxy.app.worker import WorkerPlace

__all__ = [
    "Pins",
    "Wiring",
    "WorkerPlace",
    "chat_service",
    "create_app",
    "demo_upstream",
    "model_catalog",
    "selected_upstream",
    "wire",
]
