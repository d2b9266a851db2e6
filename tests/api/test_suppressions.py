"""Every suppression, over the API and on its page: in force, expired, idle, and gone from the policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.sites import known_sites
from api.suppressions import every_suppression
from geophone.runner import replay
from policy.loader import load
from sensors.capture import open_capture
from store.client import Store, open_store
from tests.support import pcap_bytes
from tests.support.web import Client, client_of

#: 10.40.0.7 writes a register of 10.20.0.11, past the DMZ: SEG-02.
POLICY = """\
schema: 1
site: {id: small, name: "Small site", tz: America/Santiago}
zones:
- {id: control, purdue: 2, cidrs: [10.20.0.0/24]}
- {id: office, purdue: 4, cidrs: [10.40.0.0/24]}
conduits: []
suppressions:
- {id: holds, what: [SEG-02], scope: {zones: [control], client: [10.40.0.0/24]}, reason: a test, owner: ana,
   expires: 2099-01-01}
- {id: over, what: [M13, O3], scope: {zones: [office]}, reason: "<b>old</b>", owner: bo, expires: 2020-01-01}
- {id: idle, what: [M8], scope: {service: [modbus]}, reason: nothing yet, owner: ot, expires: 2099-01-01}
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Client]]:
    folder = tmp_path_factory.mktemp("suppressions")
    frames = pcap_bytes.modbus_exchange(
        "10.40.0.7", "10.20.0.11", pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE
    )
    (folder / "one.pcap").write_bytes(pcap_bytes.pcap(frames))
    (folder / "site.yaml").write_text(POLICY)
    with open_store(folder / "store") as store:
        replay(open_capture(folder / "one.pcap"), load(folder / "site.yaml"), store=store)
        with client_of(store) as client:
            yield store, client


def test_each_says_what_it_covers_until_when_and_how_much_it_holds_back(kept: tuple[Store, Client]) -> None:
    _, client = kept
    holds, over, idle = client.get("/api/v1/suppressions").json()["suppressions"]
    assert holds == {
        "site": "small",
        "id": "holds",
        "what": ["SEG-02"],
        "scope": {"zones": ["control"], "client": ["10.40.0.0/24"]},
        "reason": "a test",
        "owner": "ana",
        "expires": "2099-01-01",
        "expired": False,
        "in_policy": True,
        "held_back": 1,
    }
    assert (over["id"], over["expired"], over["held_back"]) == ("over", True, 0)
    assert (idle["id"], idle["expired"], idle["held_back"]) == ("idle", False, 0)
    # The figure is that of the queue.
    assert client.get("/api/v1/alerts?state=suppressed").json()["counts"]["by_state"]["suppressed"] == 1


def test_the_page_marks_what_expired_and_escapes_what_people_wrote(kept: tuple[Store, Client]) -> None:
    _, client = kept
    page = client.get("/security/suppressions").text
    for words in ("in force<", "expired<", "in force, met nothing<", "client 10.40.0.0/24", "2020-01-01"):
        assert words in page
    assert "&lt;b&gt;old&lt;/b&gt;" in page
    assert "/security/suppressions" in client.get("/security/alerts").text


def test_a_suppression_expires_when_its_day_begins_at_the_site(kept: tuple[Store, Client]) -> None:
    store, _ = kept
    sites = known_sites(store)

    def expired(moment: datetime) -> bool:
        return every_suppression(store, sites, moment)[0].expired

    # Midnight in Chile's summer is three in the morning UTC.
    assert not expired(datetime(2099, 1, 1, 2, 59, tzinfo=UTC))
    assert expired(datetime(2099, 1, 1, 3, 0, tzinfo=UTC))


def test_what_an_older_policy_held_back_is_not_forgotten(kept: tuple[Store, Client], tmp_path: Path) -> None:
    store, client = kept
    (tmp_path / "site.yaml").write_text(
        POLICY.replace("- {id: holds", "- {id: renamed").replace("SEG-02", "SEG-03")
    )
    capture = tmp_path / "another.pcap"
    frames = pcap_bytes.modbus_exchange(
        "10.20.0.5", "10.20.0.11", pcap_bytes.READ_REQUEST, pcap_bytes.READ_RESPONSE
    )
    capture.write_bytes(pcap_bytes.pcap(frames))
    replay(open_capture(capture), load(tmp_path / "site.yaml"), store=store)
    *named, gone = client.get("/api/v1/suppressions").json()["suppressions"]
    assert [one["id"] for one in named] == ["renamed", "over", "idle"]
    assert (gone["id"], gone["in_policy"], gone["held_back"], gone["owner"]) == ("holds", False, 1, "ana")
    assert "no longer in the policy" in client.get("/security/suppressions").text
