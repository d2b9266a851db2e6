"""Series as comma-separated values (RFC 4180)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

from starlette.responses import Response

from api.models import PointAnswer
from api.window import Window
from store.answers import SlaPoint

_COLUMNS: Final = tuple(PointAnswer.model_fields)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


def csv_response(points: Iterable[SlaPoint], name: str, window: Window) -> Response:
    """A download of the series: times, numbers and empty cells only, nothing that a spreadsheet could execute."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for point in points:
        row = PointAnswer.of(point).model_dump(mode="json")
        writer.writerow("" if row[column] is None else row[column] for column in _COLUMNS)
    file_name = f"{_UNSAFE.sub('-', name)}-{window.start:%Y%m%dT%H%MZ}-{window.end:%Y%m%dT%H%MZ}.csv"
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
