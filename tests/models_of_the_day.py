"""Models that are not gone on the day of the run: where upstream tells no list, the proxy goes by the day."""

from datetime import UTC, datetime
from typing import Final

from claude_openai_proxy.simulator.model_table import MODELS, Model

_TODAY: Final = datetime.now(UTC).date().isoformat()
OFFERED: Final[tuple[Model, ...]] = tuple(model for model in MODELS if model.retires is None or model.retires > _TODAY)
