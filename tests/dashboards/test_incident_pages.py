"""The incidents' pages: what belongs together is read in one look, and every line leads on."""

from __future__ import annotations

import re

from tests.support.web import Client


def test_the_list_names_every_incident_and_leads_to_it(client: Client) -> None:
    page = client.get("/security/incidents").text
    known = {one["id"]: one for one in client.get("/api/v1/incidents?limit=500").json()["incidents"]}
    shown = re.findall(r'class="cover" href="/security/incidents/([0-9a-f]{32})"', page)
    assert set(shown) <= known.keys()
    left_out = sum(int(more) for more in re.findall(r">(\d+) more of ", page))
    assert len(shown) + left_out == len(known)
    assert f"{len(known)} incidents" in page


def test_a_page_has_the_time_line_of_all_its_alerts(client: Client) -> None:
    incidents = client.get("/api/v1/incidents?limit=500").json()["incidents"]
    incident = max(incidents, key=lambda one: int(one["alerts"]))
    body = client.get(f"/api/v1/incidents/{incident['id']}").json()
    page = client.get(f"/security/incidents/{incident['id']}").text
    shown = re.findall(r'href="/security/alerts/([0-9a-f]{32})"', page)
    assert shown == [alert["id"] for alert in body["alerts"]]
    assert f"{incident['alerts']} alerts" in page


def test_an_alert_leads_to_its_incident_and_its_id_to_the_incidents_address(client: Client) -> None:
    incidents = client.get("/api/v1/incidents?limit=500").json()["incidents"]
    incident = max(incidents, key=lambda one: int(one["alerts"]))["id"]
    last = client.get(f"/api/v1/incidents/{incident}").json()["alerts"][-1]["id"]
    assert f'href="/security/incidents/{incident}"' in client.get(f"/security/alerts/{last}").text
    answer = client.get(f"/security/incidents/{last}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/security/incidents/{incident}")


def test_filters_and_what_is_not_there(client: Client) -> None:
    assert "No incidents match" in client.get("/security/incidents?q=no-such-thing").text
    assert client.get("/security/incidents/" + "0" * 32).status_code == 404
    assert client.get("/security/incidents?odd=1").status_code == 422
