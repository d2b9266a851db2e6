"""Forms: decisions and the theme, and that nobody else can post them."""

from __future__ import annotations

import pytest

from tests.support.web import Client, form_token


def _alert(client: Client) -> str:
    return str(client.get("/api/v1/alerts?kind=SEG-02").json()["alerts"][0]["id"])


def _post(client: Client, path: str, fields: dict[str, str], **headers: str) -> tuple[int, str]:
    answer = client.post(path, data=fields, headers={"origin": client.origin, **headers})
    return answer.status_code, answer.text


def test_a_decision_needs_no_script(deciding_client: Client) -> None:
    alert = _alert(deciding_client)
    path = f"/security/alerts/{alert}"
    token = form_token(deciding_client.get(path).text)
    answer = deciding_client.post(
        f"{path}/decision",
        data={"token": token, "decision": "acknowledge", "note": "looking"},
        headers={"origin": deciding_client.origin},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = deciding_client.get(path).text
    assert "acknowledged" in page
    assert "looking" in page
    assert "median" in deciding_client.get("/security/alerts").text


def test_closing_without_a_note_is_said_and_the_state_stays(deciding_client: Client) -> None:
    alert = _alert(deciding_client)
    token = form_token(deciding_client.get(f"/security/alerts/{alert}").text)
    status, page = _post(
        deciding_client,
        f"/security/alerts/{alert}/decision",
        {"token": token, "decision": "close", "note": " "},
    )
    assert status == 409
    assert 'role="alert"' in page
    assert "note" in page
    assert deciding_client.get(f"/api/v1/alerts/{alert}").json()["alert"]["state"] == "new"


def test_a_note_that_was_typed_is_not_lost_when_it_is_refused(deciding_client: Client) -> None:
    alert = _alert(deciding_client)
    token = form_token(deciding_client.get(f"/security/alerts/{alert}").text)
    status, page = _post(
        deciding_client,
        f"/security/alerts/{alert}/decision",
        {"token": token, "decision": "reopen", "note": "my <b>words</b>"},
    )
    assert status == 409
    assert "my &lt;b&gt;words&lt;/b&gt;</textarea>" in page


@pytest.mark.parametrize("token", ["", "wrong", "a.b"])
def test_refuses_a_form_without_our_token(deciding_client: Client, token: str) -> None:
    alert = _alert(deciding_client)
    deciding_client.get("/")
    fields = {"token": token, "decision": "acknowledge"} if token else {"decision": "acknowledge"}
    assert _post(deciding_client, f"/security/alerts/{alert}/decision", fields)[0] == 403
    assert deciding_client.get(f"/api/v1/alerts/{alert}").json()["alert"]["state"] == "new"


def test_refuses_a_token_of_another_visit_and_another_origin(deciding_client: Client) -> None:
    alert = _alert(deciding_client)
    path = f"/security/alerts/{alert}/decision"
    token = form_token(deciding_client.get(f"/security/alerts/{alert}").text)
    fields = {"token": token, "decision": "acknowledge"}
    foreign = deciding_client.post(path, data=fields, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403
    deciding_client.cookies.clear()
    assert _post(deciding_client, path, fields)[0] == 403


def test_refuses_fields_that_are_not_the_form_s(deciding_client: Client) -> None:
    alert = _alert(deciding_client)
    token = form_token(deciding_client.get(f"/security/alerts/{alert}").text)
    status, page = _post(
        deciding_client,
        f"/security/alerts/{alert}/decision",
        {"token": token, "decision": "acknowledge", "actor": "ceo"},
    )
    assert status == 422
    assert "actor" in page


def test_the_visit_s_cookie_is_not_for_scripts_or_other_sites(deciding_client: Client) -> None:
    cookie = deciding_client.get("/").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("/network?range=1h", "/network?range=1h"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
    ],
)
def test_the_theme_leads_back_to_our_own_pages_only(
    deciding_client: Client, back: str, location: str
) -> None:
    token = form_token(deciding_client.get("/network").text)
    answer = deciding_client.post(
        "/theme",
        data={"token": token, "theme": "dark", "back": back},
        headers={"origin": deciding_client.origin},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, location)
    assert "geophone_theme=dark" in answer.headers["set-cookie"]
