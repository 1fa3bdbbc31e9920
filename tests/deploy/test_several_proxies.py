"""Several proxies on one database, in small: one is killed and the database goes away, and nothing is lost but that."""

from deploy.several_proxies import run


async def test_a_killed_proxy_and_a_database_that_goes_away_cost_what_was_under_way_and_no_more() -> None:
    counts = await run(clients=8, seconds=1.5, budget=0.01)
    assert counts.faults() == []
    assert all(counts.answered[phase] for phase in ("well", "killed", "refusing", "again"))
    assert counts.stored
    assert counts.background
    assert counts.cost
