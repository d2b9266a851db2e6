"""The values a policy file is written with: text in, typed values out, errors that say how to write it right."""

from __future__ import annotations

import difflib
import ipaddress
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

PURDUE_LEVELS: Final = (0.0, 1.0, 2.0, 3.0, 3.5, 4.0, 5.0)
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY: Final = 24 * 60
HIGHEST_REGISTER: Final = 65_535
_LONGEST_TOPIC: Final = 65_535

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DURATION: Final = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?")
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")


def suggestion(word: str, known: list[str]) -> str:
    """The repair for a misspelt word: `; did you mean 'x'?`, or nothing where no known word is close."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _text(value: object, example: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text; write it like {example}")
    return value


def parse_identifier(value: object) -> str:
    """An id: 1 to 64 letters, digits, dots, underscores or hyphens."""
    text = _text(value, '"plant-1" (quoted, if it is all digits)')
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError(f"{text!r} is not an id; use up to 64 letters, digits, '.', '_' or '-'")
    return text


def parse_address(value: object) -> IpAddress:
    """An IPv4 or IPv6 address; IPv4-mapped IPv6 becomes IPv4."""
    text = _text(value, '"10.20.0.11"')
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        hint = "; leave out the prefix length" if "/" in text else ""
        raise ValueError(f"{text!r} is not an IPv4 or IPv6 address{hint}") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise ValueError(f"{text!r} names an interface; leave out '%{address.scope_id}'")
    return _unmapped(address)


def _unmapped(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_network(value: object) -> IpNetwork:
    """An IPv4 or IPv6 prefix in CIDR notation; a bare address is a prefix of one address."""
    text = _text(value, '"10.20.0.0/24"')
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        try:
            repaired = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is not an IPv4 or IPv6 prefix; write it like 10.20.0.0/24") from None
        raise ValueError(f"{text!r} has host bits set; write {repaired}") from None
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((str(first), network.prefixlen - 96))
    return network


def parse_mac(value: object) -> str:
    """A MAC address of six octets, lower case."""
    text = _text(value, '"00:00:5e:00:53:01", quoted')
    if not _MAC.fullmatch(text):
        raise ValueError(f'{text!r} is not a MAC address; write it like "00:00:5e:00:53:01"')
    return text.lower()


def mac_number(mac: str) -> int:
    """The 48 bits of a MAC address, first octet highest: the form of the wire tables."""
    return int(mac.replace(":", ""), 16)


def parse_clock(value: object) -> int:
    """A time of day in minutes after midnight; "24:00" is the end of the day."""
    text = _text(value, '"08:00", quoted')
    if text == "24:00":
        return MINUTES_OF_DAY
    match = _CLOCK.fullmatch(text)
    if not match:
        raise ValueError(f'{text!r} is not a time of day; write it like "08:00", to "24:00"')
    return int(match[1]) * 60 + int(match[2])


def parse_instant(value: object) -> datetime:
    """A moment with its offset from UTC, kept in UTC."""
    text = _text(value, '"2026-11-23T11:00:00Z", quoted')
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{text!r} is not a time; write it like "2026-11-23T11:00:00Z"') from None
    if moment.tzinfo is None:
        raise ValueError(f'{text!r} has no offset from UTC; write "{text}Z" if it is UTC')
    return moment.astimezone(UTC)


def parse_date(value: object) -> date:
    """A day: year, month, day."""
    text = _text(value, "2027-06-30")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day; write it like 2027-06-30") from None


def parse_duration(value: object) -> timedelta:
    """A duration of ISO 8601 without months and years, more than nothing."""
    text = _text(value, "PT4H or PT15M")
    match = _DURATION.fullmatch(text)
    parts = [int(part or 0) for part in match.groups()] if match else []
    if not any(parts):
        raise ValueError(f"{text!r} is not a duration; write it like PT4H, PT15M or P1DT12H")
    return timedelta(days=parts[0], hours=parts[1], minutes=parts[2], seconds=parts[3])


def parse_timezone(value: object) -> str:
    """A time zone of the IANA database."""
    text = _text(value, "America/Santiago")
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # no such name, not a name, a folder of names
        names = sorted(available_timezones())
        hint = suggestion(text, names) or "; use a name of the IANA database like America/Santiago"
        raise ValueError(f"unknown time zone {text!r}{hint}") from None
    return text


def parse_purdue(value: object) -> float:
    """A level of the Purdue model; 3.5 is the DMZ."""
    if isinstance(value, bool) or not isinstance(value, int | float) or float(value) not in PURDUE_LEVELS:
        raise ValueError(f"{value!r} is not a Purdue level; use 0, 1, 2, 3, 3.5 (DMZ), 4 or 5")
    return float(value)


def parse_range(value: object) -> tuple[int, int]:
    """A pair of first and last 0-based protocol address, both included."""
    if (
        not isinstance(value, tuple | list)
        or len(value) != 2
        or any(isinstance(end, bool) or not isinstance(end, int) for end in value)
    ):
        raise ValueError(f"{value!r} is not a range; write [first, last], both included, like [0, 199]")
    first, last = value
    if not 0 <= first <= HIGHEST_REGISTER or not 0 <= last <= HIGHEST_REGISTER:
        raise ValueError(
            f"[{first}, {last}] is not within 0 to {HIGHEST_REGISTER}; ranges are 0-based protocol addresses, "
            "not 40001-style register numbers"
        )
    if first > last:
        raise ValueError(f"[{first}, {last}] ends before it starts; write [{last}, {first}]")
    return first, last


def parse_topic_filter(value: object) -> str:
    """A filter of MQTT topics (MQTT 5.0, 4.7.1): `+` is a whole level, `#` is one and the last."""
    text = _text(value, '"mine-a/+/cmd/#", quoted')
    levels = text.split("/")
    if not text or "\0" in text or len(text.encode()) > _LONGEST_TOPIC:
        raise ValueError(f"a topic filter has 1 to {_LONGEST_TOPIC:,} bytes, none of them zero")
    if levels[0] == "$share":
        raise ValueError(f"{text!r} is a shared subscription; leave out {'/'.join(levels[:2])!r}")
    wild = [level for level in levels if level not in ("+", "#") and ("+" in level or "#" in level)]
    if wild:
        raise ValueError(f"{wild[0]!r} in {text!r}: '+' and '#' stand for whole levels, like mine-a/+/cmd/#")
    if "#" in levels[:-1]:
        raise ValueError(f"{text!r} goes on after '#', which is the last level; write + for one level")
    return text


Identifier = Annotated[str, BeforeValidator(parse_identifier)]
Address = Annotated[IpAddress, BeforeValidator(parse_address)]
Network = Annotated[IpNetwork, BeforeValidator(parse_network)]
Mac = Annotated[str, BeforeValidator(parse_mac)]
Clock = Annotated[int, BeforeValidator(parse_clock)]
Instant = Annotated[datetime, BeforeValidator(parse_instant)]
Day = Annotated[date, BeforeValidator(parse_date)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
TimeZone = Annotated[str, BeforeValidator(parse_timezone)]
Purdue = Annotated[float, BeforeValidator(parse_purdue)]
TopicFilter = Annotated[str, BeforeValidator(parse_topic_filter)]
RegisterRange = Annotated[tuple[int, int], BeforeValidator(parse_range)]
