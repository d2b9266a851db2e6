"""Decisions on alerts over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.web import OPERATOR, Client


def _alerts(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/alerts{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _decide(client: Client, alert: str, **decision: str) -> Any:
    return client.post(f"/api/v1/alerts/{alert}/decision", json=decision)


def test_an_alert_lives_from_new_to_closed_and_back(deciding_client: Client) -> None:
    alert = _alerts(deciding_client)["alerts"][0]["id"]
    assert _decide(deciding_client, alert, decision="acknowledge").json()["alert"]["state"] == "acknowledged"
    assigned = _decide(
        deciding_client, alert, decision="assign", assignee="m.okafor", note="look at the switch"
    ).json()
    assert (assigned["alert"]["state"], assigned["alert"]["assignee"]) == ("assigned", "m.okafor")
    assert (
        _decide(deciding_client, alert, decision="close", note="test of the vendor").json()["alert"]["state"]
        == "closed"
    )
    body = _decide(deciding_client, alert, decision="reopen", note="it came again").json()
    assert body["alert"]["state"] == "new"
    assert [event["action"] for event in body["events"]] == ["acknowledge", "assign", "close", "reopen"]
    assert [event["note"] for event in body["events"]][1:3] == ["look at the switch", "test of the vendor"]
    assert {event["actor"] for event in body["events"]} == {OPERATOR}


def test_assigning_to_nobody_is_assigning_to_the_operator(deciding_client: Client) -> None:
    alert = _alerts(deciding_client)["alerts"][0]["id"]
    assert _decide(deciding_client, alert, decision="assign").json()["alert"]["assignee"] == OPERATOR


def test_what_cannot_be_decided_is_said_and_changes_nothing(deciding_client: Client) -> None:
    alert = _alerts(deciding_client)["alerts"][0]["id"]
    reopened, closed = (
        _decide(deciding_client, alert, decision="reopen"),
        _decide(deciding_client, alert, decision="close"),
    )
    assert (reopened.status_code, closed.status_code) == (409, 409)
    assert "note" in closed.json()["detail"]
    assert deciding_client.get(f"/api/v1/alerts/{alert}").json()["events"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "delete"},
        {"decision": "close", "note": "x" * 4001},
        {"decision": "acknowledge", "actor": "ceo"},
    ],
)
def test_refuses_a_decision_of_another_form(deciding_client: Client, body: dict[str, str]) -> None:
    alert = _alerts(deciding_client)["alerts"][0]["id"]
    answer = deciding_client.post(f"/api/v1/alerts/{alert}/decision", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["repair"]


def test_nobody_decides_from_another_origin(deciding_client: Client) -> None:
    alert = _alerts(deciding_client)["alerts"][0]["id"]
    path = f"/api/v1/alerts/{alert}/decision"
    foreign = deciding_client.post(
        path, json={"decision": "acknowledge"}, headers={"origin": "http://evil.example"}
    )
    assert foreign.status_code == 403
    form = deciding_client.post(
        path, data={"decision": "acknowledge"}, headers={"origin": deciding_client.origin}
    )
    assert form.status_code == 422
    assert deciding_client.get(f"/api/v1/alerts/{alert}").json()["alert"]["state"] == "new"


def test_no_alert_of_that_id_can_be_decided(deciding_client: Client) -> None:
    assert _decide(deciding_client, "0" * 32, decision="acknowledge").status_code == 404


def test_the_time_to_decision_is_measured_from_detection(deciding_client: Client) -> None:
    assert _alerts(deciding_client)["counts"]["decision_median_s"] is None
    alert = _alerts(deciding_client)["alerts"][0]["id"]
    _decide(deciding_client, alert, decision="acknowledge")
    assert _alerts(deciding_client)["counts"]["decision_median_s"] >= 0


def test_the_indicators_count_decisions_and_who_made_them(deciding_client: Client) -> None:
    before = deciding_client.get("/network/indicators").text
    assert "no alert has been decided" in before
    assert "nobody has decided an alert" in before
    (first, second) = deciding_client.get("/api/v1/alerts").json()["alerts"][:2]
    for alert in (first, second):
        url = f"/api/v1/alerts/{alert['id']}/decision"
        assert deciding_client.post(url, json={"decision": "acknowledge"}).status_code == 200
    after = deciding_client.get("/network/indicators").text
    assert "median from the finding stored to its first decision" in after
    assert "how many names decided alerts; their decisions: 2" in after


def test_decisions_stand_in_the_time_line_of_the_incident(deciding_client: Client) -> None:
    alert = deciding_client.get("/api/v1/alerts").json()["alerts"][-1]["id"]
    _decide(deciding_client, alert, decision="close", note="the yearly test")
    body = deciding_client.get(f"/api/v1/incidents/{alert}").json()
    assert [(one["alert"], one["action"], one["note"]) for one in body["decisions"] if one["alert"] == alert][
        -1
    ] == (alert, "close", "the yearly test")
