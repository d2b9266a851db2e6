"""Names that hosts asked for in; which names a host had for an address out."""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.traffic import Traffic
from policy.violations import address_texts

#: Names kept: those that were asked for first.
NAMES_LIMIT: Final = 65_536

_NAME: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    #: As text: DNS answers are texts.
    "address": pl.String(),
    "name": pl.String(),
    #: How: `by DNS`, `in TLS`.
    "how": pl.String(),
    "ts_ns": pl.Int64(),
    "frame": pl.UInt64(),
}
_KEY: Final = ("client_ip", "address", "name", "how")


class Names:
    """What hosts called the addresses outside the zones: by DNS, and in the introductions of TLS, HTTP and the like."""

    def __init__(self) -> None:
        self._names = pl.DataFrame(schema=_NAME)

    def add(self, traffic: Traffic) -> None:
        """Take one batch."""
        introduced = traffic.services.filter((pl.col("host_name") != "") & (pl.col("server_zone") == ""))
        asked = traffic.dns.filter((pl.col("query") != "") & (pl.col("answer_count") > 0))
        found = [
            introduced.select(
                "client_ip",
                address_texts(introduced["server_ip"]).alias("address"),
                name="host_name",
                how=pl.lit("to the server itself"),
                ts_ns=pl.col("ts").dt.epoch("ns"),
                frame="frame",
            ),
            asked.select(
                "client_ip",
                address="answers",
                name="query",
                how=pl.lit("by DNS"),
                ts_ns=pl.col("ts").dt.epoch("ns"),
                frame=pl.coalesce("response_frame", "request_frame"),
            )
            .explode("address")
            .filter(pl.col("address").is_not_null()),
        ]
        rows = pl.concat(found)
        if rows.is_empty():
            return
        self._names = (
            pl.concat([self._names, rows])
            .sort("ts_ns", "frame", *_KEY)
            .unique(_KEY, keep="first", maintain_order=True)
            .head(NAMES_LIMIT)
        )

    def of(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs of `client_ip` and `server_ip` in; each with the names that the client had for the server out."""
        texts = pairs.with_columns(address_texts(pairs["server_ip"]).alias("address"))
        return texts.join(
            self._names, on=["client_ip", "address"], how="inner", maintain_order="left_right"
        ).drop("address")
