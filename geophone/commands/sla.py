"""The command `geophone sla`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


class _Moment(click.ParamType[datetime]):
    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """A time as RFC 3339 writes it; without an offset it is UTC, as everywhere."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; write it like 2026-11-01T00:00Z", param, ctx)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_MOMENT = _Moment()


@click.command()
@click.argument("captures", nargs=-1, type=PATH, metavar="[CAPTURE...]")
@click.option("--policy", "policy_file", type=PATH, help="The site's policy; with captures.")
@click.option(
    "--store",
    "store_url",
    metavar="DIR|URL",
    help="Report from a store instead of captures: a folder or the http(s) URL of a server.",
)
@click.option("--site", metavar="ID", help="Which site of the store; the one last written to if left out.")
@click.option("--zone", "zones", multiple=True, metavar="ID", help="Only this zone. May be repeated.")
@click.option(
    "--conduit", "conduits", multiple=True, metavar="ID", help="Only this conduit. May be repeated."
)
@click.option("--month", metavar="YYYY-MM", default="", help="A month of the site's calendar.")
@click.option("--from", "start", type=_MOMENT, metavar="TIME", help="Start, included; UTC without an offset.")
@click.option("--to", "end", type=_MOMENT, metavar="TIME", help="End, not included.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "csv", "html")),
    default="text",
    show_default=True,
    help="For people, programs, spreadsheets, or a review.",
)
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Write here instead of standard output.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def sla(
    captures: tuple[Path, ...],
    policy_file: Path | None,
    store_url: str | None,
    site: str | None,
    zones: tuple[str, ...],
    conduits: tuple[str, ...],
    month: str,
    start: datetime | None,
    end: datetime | None,
    form: str,
    output: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Report zones and conduits against their SLAs: availability, error budgets, times, loss, exclusions.

    From captures and a policy, or from a store. Without a period, all that was measured, at most its last 30 days.
    """
    with user_errors():
        from geophone.sla_reporting import Wish, write_report

        wish = Wish(
            captures=captures,
            policy=policy_file,
            store=store_url,
            site=site,
            zones=zones,
            conduits=conduits,
            month=month,
            start=start,
            end=end,
            form=form,
            output=output,
            limits=engine_limits(limits),
        )
        write_report(wish)
