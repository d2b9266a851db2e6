"""A finding under a suppression, over the API and on the alerts page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analyzers.findings import SuppressedBy
from store.client import open_store
from tests.support import plausible_day
from tests.support.web import Client, client_of

UNDER = SuppressedBy(id="sup-hmi", owner="ana", reason="tuning, ticket 12", until="2026-12-01")
ONE = plausible_day.hostile_finding().model_copy(update={"title": "a planned oddity", "suppression": UNDER})


@pytest.fixture(scope="module")
def quiet_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_store(tmp_path_factory.mktemp("quiet") / "store") as store:
        plausible_day.fill(store, extra=(ONE,))
        with client_of(store) as client:
            yield client


def test_the_queue_leaves_it_out_and_its_state_shows_it(quiet_client: Client) -> None:
    every = quiet_client.get("/api/v1/alerts?limit=500").json()
    assert ONE.id not in {alert["id"] for alert in every["alerts"]}
    assert every["counts"]["by_state"]["suppressed"] == 1
    assert every["counts"]["total"] == len(every["alerts"])
    only = quiet_client.get("/api/v1/alerts?state=suppressed").json()
    assert [(alert["id"], alert["assignee"]) for alert in only["alerts"]] == [(ONE.id, "ana")]


def test_the_detail_says_who_why_and_until_when(quiet_client: Client) -> None:
    detail = quiet_client.get(f"/api/v1/alerts/{ONE.id}").json()
    assert detail["finding"]["suppression"] == UNDER.model_dump()
    page = quiet_client.get(f"/security/alerts/{ONE.id}").text
    for words in ("sup-hmi", "tuning, ticket 12", "until 2026-12-01", "ana answers for it"):
        assert words in page


def test_the_page_has_a_filter_for_it(quiet_client: Client) -> None:
    queue = quiet_client.get("/security/alerts").text
    assert ONE.id not in queue
    assert "state=suppressed" in queue
    assert ONE.id in quiet_client.get("/security/alerts?state=suppressed").text
