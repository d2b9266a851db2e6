"""A store that holds two sites with zones of the same names: each page is about one of them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from geophone.runner import replay
from pcaps import POLICIES, sample
from policy.loader import LoadedPolicy, load, loads
from sensors.capture import open_capture
from store.client import open_store
from tests.support.web import Client, client_of

#: The same zones and addresses under other names: only the site's id tells the rows apart.
OTHER_SITE = (
    (POLICIES / "mine-a.yaml")
    .read_text()
    .replace('{id: mine-a, name: "Mine A"', '{id: mine-b, name: "Mine B"')
    .replace('name: "Concentrator"', 'name: "Second mill"')
)
EARLIER, NEWEST = "conduit-misuse", "unauthorised-write"


def _policy(name: str) -> LoadedPolicy:
    return loads(OTHER_SITE, "mine-b.yaml") if name == NEWEST else load(sample(name).policy)


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_store(tmp_path_factory.mktemp("two") / "store") as store:
        for name in (EARLIER, NEWEST):
            replay(open_capture(sample(name).capture), _policy(name), store=store)
        with client_of(store) as client:
            yield client


def _replays(client: Client) -> dict[str, str]:
    listed = client.get("/api/v1/replays").json()["replays"]
    return {row["capture_name"].removesuffix(".pcapng"): row["id"] for row in listed}


def _packets(client: Client, query: str = "") -> int:
    zones = client.get(f"/api/v1/zones?range=all{query}").json()["zones"]
    return next(int(zone["summary"]["total"]["packets"]) for zone in zones if zone["id"] == "plant")


def test_without_a_choice_the_pages_are_about_the_newest_site_alone(two_sites: Client) -> None:
    page = two_sites.get("/network").text
    assert "Mine B" in page and "Second mill" in page
    assert "Concentrator" not in page
    assert _packets(two_sites) == _packets(two_sites, f"&replay={_replays(two_sites)[NEWEST]}")


def test_a_chosen_capture_is_shown_under_its_own_policy(two_sites: Client) -> None:
    earlier = _replays(two_sites)[EARLIER]
    page = two_sites.get(f"/network?replay={earlier}").text
    assert "Mine A" in page and "Concentrator" in page
    assert "Second mill" not in page
    assert _packets(two_sites, f"&replay={earlier}") > 0


def test_the_time_shown_is_that_of_the_site(two_sites: Client) -> None:
    window = two_sites.get("/api/v1/zones?range=all").json()["window"]
    assert window["start"].startswith("2026-11-22T04:10")


def test_a_zones_page_offers_only_its_own_sites_captures(two_sites: Client) -> None:
    page = two_sites.get("/network/zones/plant").text
    assert f"{EARLIER}.pcapng" not in page
    assert (
        f"{EARLIER}.pcapng"
        in two_sites.get(f"/network/zones/plant?replay={_replays(two_sites)[EARLIER]}").text
    )


def test_the_overview_offers_every_site_and_shows_the_chosen_one(two_sites: Client) -> None:
    assert 'href="/network?site=mine-a"' in two_sites.get("/network").text
    page = two_sites.get("/network?site=mine-a").text
    assert "Concentrator" in page and "Second mill" not in page
    assert f"{NEWEST}.pcapng" not in page


def test_whatever_a_page_of_a_site_or_capture_leads_to_is_about_the_same(two_sites: Client) -> None:
    for chosen in ("site=mine-a", f"replay={_replays(two_sites)[EARLIER]}"):
        for path in ("/network", "/network/zones/plant", "/network/conduits/c-room-plant"):
            page = two_sites.get(f"{path}?{chosen}").text
            led = set(re.findall(r'href="(/network/(?:zones|conduits)/[^"]+)"', page))
            # "all captures" leads from one capture to its site
            assert led and all(chosen in href or "site=mine-a" in href for href in led), path


def test_an_alert_leads_to_the_conduit_and_zones_of_its_own_site(two_sites: Client) -> None:
    earlier = _replays(two_sites)[EARLIER]
    alerts = two_sites.get(f"/api/v1/alerts?replay={earlier}&kind=SEG-05").json()["alerts"]
    page = two_sites.get(f"/security/alerts/{alerts[0]['id']}").text
    led = {html.unescape(href) for href in re.findall(r'href="(/network/[^"]+)"', page)}
    assert len(led) == 3
    for href in led:
        answer = two_sites.get(href)
        assert answer.status_code == 200 and "Mine A" in answer.text and "Mine B" not in answer.text, href


def test_the_api_answers_for_a_named_site(two_sites: Client) -> None:
    earlier = _packets(two_sites, f"&replay={_replays(two_sites)[EARLIER]}")
    assert _packets(two_sites, "&site=mine-a") == earlier != _packets(two_sites)
    listed = two_sites.get("/api/v1/alerts?site=mine-a").json()["alerts"]
    assert {alert["site"] for alert in listed} == {"mine-a"}


def test_a_site_that_is_not_there_or_not_the_replays_is_refused(two_sites: Client) -> None:
    newest = _replays(two_sites)[NEWEST]
    for query in ("site=mine-c", f"replay={newest}&site=mine-a"):
        for path in ("/network", "/network/zones/plant", "/network/indicators", "/api/v1/zones"):
            assert two_sites.get(f"{path}?{query}").status_code == 404, (path, query)


def test_the_queue_offers_the_zones_of_all_sites(two_sites: Client) -> None:
    assert (
        '<option value="plant">Second mill / Concentrator</option>' in two_sites.get("/security/alerts").text
    )


def test_the_queue_names_each_alerts_zones_as_its_own_site_does(two_sites: Client) -> None:
    page = two_sites.get("/security/alerts").text
    # the earlier site's alerts reach its concentrator, the newest site's its second mill
    assert "Concentrator" in page and "Second mill" in page


def test_an_unknown_replay_is_refused_everywhere(two_sites: Client) -> None:
    for path in ("/network", "/network/zones/plant", "/api/v1/zones", "/api/v1/conduits/c-room-plant/sla"):
        assert two_sites.get(f"{path}?replay={'0' * 32}").status_code in (404, 422), path
