"""Several proxies on one database, in small: one is killed and the database goes away, and nothing is lost but that."""

from deploy.several_proxies import run


async def test_a_killed_proxy_and_a_database_that_goes_away_cost_what_was_under_way_and_no_more() -> None:
    counts = await run(clients=6, seconds=1.5)
    assert counts.wrong == []
    assert all(counts.answered[phase] for phase in ("well", "killed", "refusing", "again"))
    assert set(+counts.cut) <= {"killed"}
    assert counts.cut.total() <= 6, "each client has one request under way"
    assert counts.stored
    assert counts.unreadable == 0
    lost = counts.total - counts.rows
    assert lost <= counts.answered["well"], "the killed proxy's last second"
