"""The pages as a browser without a script gets them."""

from __future__ import annotations

import gzip
import hashlib
import re

import pytest

from api.figures import WORST_FIRST
from dashboards.rendering import STATIC_FILES, static_body
from tests.support.plausible_day import POLICY_SHA256, findings, hostile_finding
from tests.support.web import Client

PAGES = (
    "/",
    "/security/alerts",
    f"/security/alerts/{hostile_finding().id}",
    f"/security/alerts?open={hostile_finding().id}",
    "/security/suppressions",
    "/network",
    "/network/indicators",
    "/network/zones/supervisory",
    "/network/zones/supervisory?view=table",
    "/network/zones/energy",
    "/network/conduits/c-sup-crush",
    "/audit",
    f"/audit/policies/{POLICY_SHA256}",
    "/nowhere",
)


def _replay(client: Client) -> str:
    return str(client.get("/api/v1/replays").json()["replays"][0]["id"])


def _alert(client: Client, query: str = "?kind=SEG-05") -> str:
    return str(client.get(f"/api/v1/alerts{query}").json()["alerts"][0]["id"])


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_small_and_loads_only_our_own_files(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(gzip.compress(page.content)) <= 80_000
    loaded = re.findall(r'<(?:script|link|img|use)[^>]*(?:src|href)="([^"]+)"', page.text)
    assert all(link.startswith(("/static/", "#")) for link in loaded)
    assert len([link for link in loaded if link.startswith("/static/")]) <= 9
    assert len(re.findall(r"<[a-z]", page.text)) <= 3000


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_heading_a_skip_link_a_title_and_no_inline_code(client: Client, path: str) -> None:
    page = client.get(path).text
    assert page.count("<h1") == 1
    assert '<a class="skip" href="#main">' in page
    assert re.search(r"<title>.+ · geophone</title>", page)
    assert not re.search(r"\sstyle=\"|<style|\son[a-z]+=\"|javascript:", page)
    assert "<script>" not in page


def test_our_script_is_small() -> None:
    assert len(static_body("geophone.js")) <= 30_000


def test_static_files_are_kept_for_ever_only_under_their_mark(client: Client) -> None:
    page = client.get("/").text
    for name, media_type in STATIC_FILES.items():
        marked = re.search(rf'/static/{re.escape(name)}\?v=(\w+)"', page)
        assert marked is not None
        assert marked[1] == hashlib.sha256(static_body(name)).hexdigest()[:12]
        answer = client.get(f"/static/{name}", params={"v": marked[1]})
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith(media_type)
        assert client.get(f"/static/{name}", params={"v": "old"}).headers["cache-control"] == "no-cache"


def test_the_queue_shows_every_alert_with_its_counts(client: Client) -> None:
    page = client.get("/security/alerts").text
    assert len(re.findall(r'class="alert', page)) == len(findings()) + 1
    assert "Tue 03 Mar 2026" in page
    assert "nothing decided yet" in page


def test_chips_are_links_that_keep_the_rest_of_the_filter(client: Client) -> None:
    page = client.get("/security/alerts?zone=plant&severity=high").text
    assert 'href="/security/alerts?zone=plant" aria-current="true"' in page
    assert "severity=high&amp;severity=critical" in page.replace("zone=plant&amp;", "")


def test_a_filter_that_matches_nothing_says_so_and_offers_to_clear_it(client: Client) -> None:
    page = client.get("/security/alerts?q=nothing-like-it").text
    assert "No alerts match" in page
    assert "Clear the filters" in page
    assert "last packet 03 Mar 2026 23:59 UTC" in page


def test_the_alert_says_why_under_which_line_and_where_to_look(client: Client) -> None:
    page = client.get(f"/security/alerts/{_alert(client)}").text
    assert "hmi1 wrote holding registers 100 to 103" in page
    assert f'href="/audit/policies/{POLICY_SHA256}#L' in page
    assert "- id: c-sup-crush" in page
    assert "r-crush: function 16 is not among 3, 4" in page
    assert "T0836" in page
    assert "mine-a-2026-03-03.pcapng" in page
    assert re.search(r"frame\.number in \{\d+, \d+, \d+, \d+\}", page)
    assert "19:48:11.173" in page


def test_the_alert_opens_beside_the_queue_by_its_link(client: Client) -> None:
    alert = _alert(client)
    page = client.get(f"/security/alerts?open={alert}").text
    assert f'data-detail="{alert}"' in page
    assert 'id="queue"' in page
    assert "tr" in page


def test_a_fragment_is_the_part_of_the_page_and_a_plain_request_is_all_of_it(client: Client) -> None:
    path = f"/security/alerts/{_alert(client)}"
    part, whole = client.get(path, headers={"X-Fragment": "1"}), client.get(path)
    assert "<html" not in part.text
    assert "<html" in whole.text
    assert "X-Fragment" in part.headers["vary"]


def test_the_overview_is_worst_first_and_says_no_data(client: Client) -> None:
    page = client.get("/network").text
    found = re.findall(r'class="card zonetile ([a-z-]+)"', page)
    order = [status.value.replace(" ", "-") for status in WORST_FIRST]
    assert len(found) == 7
    assert found == sorted(found, key=order.index)
    assert "no packet was seen" in page


def test_a_silent_zone_shows_no_figure_and_is_not_met(client: Client) -> None:
    page = client.get("/network/zones/energy").text
    assert 'class="pill no-data"' in page
    assert "100 %" not in re.sub(r"<[^>]+>", "", page.split('class="tiles"')[1].split("<section")[0])
    assert "Nothing was measured in this range." in page


def test_the_zone_page_says_which_time_it_shows(client: Client) -> None:
    page = client.get("/network/zones/plant?range=6h").text
    assert "03 Mar 2026 18:00 to 04 Mar 2026 00:00 UTC" in page
    assert 'href="/network/zones/plant?range=6h" aria-current="true"' in page


def test_the_zone_page_has_its_series_as_a_table_and_as_a_file(client: Client) -> None:
    page = client.get("/network/zones/plant?view=table").text
    assert "no data" in page
    assert "Series as a table" in page
    link = re.search(r'href="(/api/v1/zones/plant/sla\.csv[^"]+)"', page)
    assert link is not None
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert answer.text.startswith("start,step_s")


def test_the_map_shows_traffic_that_no_conduit_allows(client: Client) -> None:
    page = client.get("/network").text
    assert "Enterprise to Concentrator, not allowed, seen: SSH" in page
    assert "c-ops-energy: Site operations to Energy, allowed, never seen" in page


def test_an_empty_form_field_of_the_range_is_an_open_end(client: Client) -> None:
    assert client.get("/network?from=2026-03-03T12:00&to=").status_code == 200


def test_one_capture_can_be_looked_at_alone(client: Client) -> None:
    replay = _replay(client)
    page = client.get(f"/network/zones/plant?replay={replay}").text
    assert f"/network/conduits/c-sup-plant?replay={replay}" in page
    assert client.get("/network/zones/plant?replay=unknown").status_code == 404


def test_the_audit_page_compares_traffic_with_the_policy_violations_first(client: Client) -> None:
    page = client.get(f"/audit/{_replay(client)}").text
    verdicts = re.findall(r"</svg>(not allowed|findings|not seen|matches)</span></td>", page)
    assert verdicts == ["not allowed"] * 2 + ["findings"] * 2 + ["not seen"] + ["matches"] * 3


def test_the_audit_page_says_how_to_get_the_same_file(client: Client) -> None:
    replay = client.get("/api/v1/replays").json()["replays"][0]
    page = client.get(f"/audit/{replay['id']}").text
    assert "geophone replay mine-a-2026-03-03.pcapng --policy mine-a.yaml --findings findings.jsonl" in page
    assert replay["findings_sha256"] in page
    assert "as replayed" in page


def test_the_theme_of_the_cookie_is_in_the_first_paint(client: Client) -> None:
    assert (
        '<html lang="en" data-theme="dark">'
        in client.get("/", headers={"cookie": "geophone_theme=dark"}).text
    )
    assert '<html lang="en">' in client.get("/", headers={"cookie": "geophone_theme=x%22%3E"}).text


def test_errors_are_pages_in_style_with_the_repair(client: Client) -> None:
    missing, refused = client.get("/network/zones/nowhere"), client.get("/network?rang=6h")
    assert missing.status_code == 404
    assert refused.status_code == 422
    assert "did you mean &#39;range&#39;?" in refused.text
    assert 'class="top"' in missing.text


def test_the_start_shows_what_is_gravest_first_and_then_what_is_newest(client: Client) -> None:
    listed = re.search(r'<ul class="recent">(.*?)</ul>', client.get("/").text, re.DOTALL)
    assert listed
    shown = re.findall(r"/security/alerts/([0-9a-f]{32})", listed[1])
    expected = [
        alert["id"]
        for severity in ("critical", "high")
        for alert in client.get(f"/api/v1/alerts?state=new&severity={severity}").json()["alerts"]
    ]
    assert shown == expected[:6] != []


def test_an_alert_names_its_techniques_and_protocol_as_the_field_does(client: Client) -> None:
    page = client.get(f"/security/alerts/{_alert(client)}").text
    assert "T0855 Unauthorized Command Message" in page
    assert "Modbus" in page
