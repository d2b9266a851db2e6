"""The theme: light or dark, kept in a cookie so that the first paint has it and no script is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from api.problems import Problem
from dashboards.forms import form_with
from dashboards.rendering import THEME_COOKIE, THEMES

router = APIRouter()

#: A path of this application: one slash, then none (`//host` would lead elsewhere).
_OWN_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*", re.ASCII)
_A_YEAR_S: Final = 31_536_000


@router.post("/theme")
def choose_theme(form: Annotated[Mapping[str, str], Depends(form_with("theme", "back"))]) -> Response:
    """Keep the theme and go back to the page."""
    if form.get("theme") not in THEMES:
        raise Problem(422, "theme: unknown theme", f"use one of {', '.join(THEMES)}")
    back = form.get("back", "/")
    response = RedirectResponse(back if _OWN_PATH.fullmatch(back) else "/", 303)
    response.set_cookie(THEME_COOKIE, form["theme"], max_age=_A_YEAR_S, samesite="strict", path="/")
    return response
