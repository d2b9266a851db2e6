"""What cannot be measured is said on the pages: a conduit of ciphertext, a minute of a planned change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pcaps import POLICIES
from store.client import open_store
from store.writer import ReplayWriter
from tests.store.samples import minutes, outcome, replay_start
from tests.support.web import Client, client_of

_POLICY = (POLICIES / "mine-a.yaml").read_text()
_TALK = {"from_zone": "supervisory", "to_zone": "plant", "conduit": "c-room-plant", "service": "opcua"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_store(tmp_path_factory.mktemp("hidden") / "store") as store:
        with ReplayWriter(store, replay_start(policy_text=_POLICY)) as writer:
            hidden = {**_TALK, "not_measurable_encrypted": 312}
            changed = {**_TALK, "at": 1, "transactions": 9, "unanswered": 9, "exclusion": "CHG-7"}
            writer.write("sla_minutes", minutes([hidden, changed]))
            writer.finish([], outcome())
        with client_of(store) as made:
            yield made


def test_a_conduit_of_ciphertext_says_why_it_has_no_figures(client: Client) -> None:
    page = client.get("/network/conduits/c-room-plant?range=all").text
    assert "not measurable: encrypted" in page
    assert "312 requests not measurable: encrypted" in page
    assert "no requests seen" not in page


def test_a_minute_of_a_planned_change_is_in_no_figure_and_counted(client: Client) -> None:
    (scope,) = (
        zone for zone in client.get("/api/v1/zones?range=all").json()["zones"] if zone["id"] == "plant"
    )
    assert scope["status"] == "no data"
    assert (scope["summary"]["minutes_seen"], scope["summary"]["minutes_excluded"]) == (1, 1)
    assert scope["summary"]["total"]["availability"] is None
    assert "312 requests not measurable: encrypted" in scope["because"]
    assert "1 minute of a planned change left out" in scope["because"]
