"""docs/operations.md has every metric that there is, and no other."""

from claude_openai_proxy.service.health import HealthReport, StorageReport
from claude_openai_proxy.service.waiting import LineStatus
from claude_openai_proxy.telemetry.metrics import RequestMetrics
from claude_openai_proxy.upstreams.interface import PoolStatus
from claude_openai_proxy.web.pages.metrics import plan_windows, state
from docs.documents import ROOT, table_column

REPORT = HealthReport(
    status="ok",
    version="1",
    uptime_seconds=1,
    upstream="claude-code",
    login="made up",
    pool=PoolStatus(2, 8, 1, 3, 0, 40, {"idle": 5}),
    line=LineStatus(3, 1, 0, 0),
    storage=StorageReport("sqlite", "/made/up"),
)


def test_the_document_has_every_metric_and_no_other() -> None:
    families = [*RequestMetrics().families(), *state(REPORT), plan_windows(())]
    assert set(table_column(ROOT / "docs" / "operations.md", "Metrics", 0)) == {family.name for family in families}


def test_each_kind_and_label_stands_in_its_row() -> None:
    document = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## Metrics\n")[2]
    for family in [*RequestMetrics().families(), *state(REPORT), plan_windows(())]:
        row = next(line for line in document.splitlines() if line.startswith("| ") and f"`{family.name}`" in line)
        _, _, kind, labels, _, _ = row.split("|")
        assert kind.strip() == family.kind
        assert all(f"`{label}`" in labels for label in family.labels)
