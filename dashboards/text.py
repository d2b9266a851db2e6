"""Words for people: hostile text made visible, numbers with their units, times in UTC."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

from dashboards.protocol_names import protocols

#: Unicode general categories that show nothing or change what surrounds them: controls (newlines too), formats
#: (bidirectional overrides, zero-width characters), surrogates, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with every character that hides or reorders others written as its escape.

    What comes from the wire or a policy is hostile: a right-to-left override can make an address read as
    another (CVE-2021-42574), a newline can fake a second line. Printable text is left as it is.
    """
    if text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _INVISIBLE else c for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:04x}}}")


def milliseconds(duration_ns: int | float | None, blank: str = "–") -> str:
    """A duration in ms, three significant figures, without its unit: '0.45', '3.8', '128'."""
    if duration_ns is None:
        return blank
    return significant(duration_ns / 1e6)


def significant(value: float) -> str:
    """Three significant figures, never in exponent form: '0.00312', '4.2', '1234'."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 else "<0.0001"


def duration(duration_ns: int | float | None, blank: str = "–") -> str:
    """A duration in the unit that reads best, ms up to a second: '3.8 ms', '1.2 s'."""
    if duration_ns is None:
        return blank
    if duration_ns >= 1e9:
        return f"{significant(duration_ns / 1e9)} s"
    if 0 < duration_ns < 1e6:
        return f"{significant(duration_ns / 1e3)} µs"
    return f"{milliseconds(duration_ns)} ms"


def percent(share: float | None, digits: int = 2, blank: str = "–") -> str:
    """A share as a percentage, without its unit. Less than all never reads 100, more than none never reads 0."""
    if share is None:
        return blank
    value = share * 100
    smallest = 10**-digits
    text = f"{value:.{digits}f}"
    if value < 100 and float(text) >= 100:
        text = f"{100 - smallest:.{digits}f}"
    if value > 0 and float(text) == 0:
        return f"<{smallest:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def span(length: timedelta | float | None, blank: str = "–") -> str:
    """A length of time for people: '40 s', '11 min', '3.2 h', '2.1 d'. Numbers are seconds."""
    if length is None:
        return blank
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if 0 < seconds < 1:
        return "under 1 s"
    for limit, unit, size in ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600)):
        if seconds < limit:
            value = seconds / size
            return (
                f"{value:.0f} {unit}"
                if value >= 10 or size <= 60
                else f"{value:.1f}".removesuffix(".0") + f" {unit}"
            )
    days = seconds / 86_400
    return f"{days:.0f} d" if days >= 10 else f"{days:.1f}".removesuffix(".0") + " d"


def size(length: int) -> str:
    """A number of bytes: '812 B', '18.2 MB'."""
    value = float(length)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{significant(value)} {unit}"
        value /= 1000
    return f"{significant(value)} TB"


def count(number: int) -> str:
    """A number with narrow spaces between its thousands: '18 412'."""
    return f"{number:,}".replace(",", "\u202f")


def at(moment: datetime | None, blank: str = "–") -> str:
    """Day and minute: '03 Mar 2026 05:57'."""
    return blank if moment is None else f"{moment.astimezone(UTC):%d %b %Y %H:%M}"


def day(moment: datetime) -> str:
    """The day: 'Tue 03 Mar 2026'."""
    return f"{moment.astimezone(UTC):%a %d %b %Y}"


def clock(moment: datetime) -> str:
    """The time of day: '05:57:00'."""
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def clock_ns(moment_ns: int) -> str:
    """A packet's time of day to the ms: '05:57:00.123'."""
    seconds, rest = divmod(moment_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{rest // 1_000_000:03d}"


def from_ns(moment_ns: int) -> datetime:
    """A time in ns since the epoch, cut to µs."""
    return datetime.fromtimestamp(moment_ns // 1_000_000_000, UTC) + timedelta(
        microseconds=moment_ns % 1_000_000_000 // 1000
    )


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def headline(title: str) -> str:
    """A finding's title, which is the end of a sentence, on its own: 'A Modbus write that the rule does not allow'."""
    return sentence(protocols(title))


def short_hash(sha256: str) -> str:
    """A hash for a narrow place: '9c1e44b2…0b7f'."""
    return f"{sha256[:8]}…{sha256[-4:]}" if len(sha256) > 16 else sha256
