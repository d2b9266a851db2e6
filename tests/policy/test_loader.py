"""A policy file in; the site out, or every problem at once with line, key and repair."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import policy.loader
from policy.loader import PolicyError, load, loads
from tests.policy.factories import SITE

#: A topic filter of commands, beside one that is right.
COMMANDS = 'schema: 1\ndetections: {{Q3: {{topics: ["a/+/cmd/#", "{}"]}}}}'
#: Every kind of entry and every key, as the design's example has them.
WHOLE = """\
schema: 1
site: {id: mine-a, name: "Mine A", tz: America/Santiago}
zones:
- {id: plant, name: Concentrator, domain: plant, purdue: 2, sl_t: 2, criticality: C2, cidrs: [10.20.0.0/24],
   internet: deny, sensors: [s1]}
- {id: dmz, purdue: 3.5, criticality: C3, cidrs: [10.35.0.0/24]}
assets:
- {id: plc1, zone: plant, ip: 10.20.0.11, mac: "00:00:5e:00:53:01", role: plc, criticality: C1, owner: ot}
- {id: hmi1, zone: plant, ip: 10.20.0.12}
- {id: ua1, zone: plant, ip: 10.20.0.13}
- {id: mq1, zone: plant, ip: 10.20.0.14}
- {id: ews1, zone: plant, ip: 10.20.0.15}
- {id: hist1, zone: dmz, ip: 10.35.0.10}
- {id: gw1, zone: dmz, ip: 10.35.0.11}
- {id: edge1, zone: dmz, ip: 10.35.0.12}
- {id: vpn1, zone: dmz, ip: 10.35.0.13}
- {id: jump1, zone: dmz, ip: 10.35.0.14}
conduits:
- id: c-hist
  from: dmz
  to: plant
  eap: {id: fw1, macs: ["00:00:5e:00:53:fe"]}
  allow:
  - {id: r1, src: [hist1], dst: [plc1], service: modbus, port: 502, units: [1], functions: [3, 4],
     read: [[0, 199]], write: [], reason: trending, owner: ot, change: CHG-7, expires: 2027-06-30,
     expect_used_days: 30}
  - {id: r2, src: [gw1], dst: [ua1], service: opcua, port: 4840, min_mode: Sign, auth: [certificate],
     services: [read, subscribe], write_nodes: []}
  - {id: r3, src: [edge1], dst: [mq1], service: mqtt, port: 8883, tls: true, client_ids: [edge1],
     publish: ["mine/a/#"], subscribe: []}
remote_access:
- {id: ra-acme, vendor: acme, sources: [203.0.113.0/28], gateway: vpn1, mfa_evidence: gateway_log,
   intermediate: [jump1], targets: [ews1], service: [rdp], windows: [{days: [mon], start: "08:00", end: "12:00"}],
   max_session: PT4H, idle: PT15M, concurrent: 1, approval: required}
approvals:
- {ref: CHG-42, rule: ra-acme, start: "2026-11-23T11:00:00Z", end: "2026-11-23T15:00:00Z", approver: ops}
changes:
- {ref: CHG-42, kind: planned, start: "2026-11-23T11:00:00Z", end: "2026-11-23T15:00:00Z", assets: [plc1],
   operations: [modbus.write], sla_exclude: true, rollback_by: "2026-11-23T16:00:00Z"}
sla:
- {id: s-c2, scope: {zone: plant}, class: C2}
polls:
- {client: hmi1, server: plc1, service: modbus, unit: 1, function: 3, address: 0, quantity: 20, period_ms: 1000,
   deadline_ms: 1000}
"""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        loads(text, "site.yaml")
    return str(refused.value).splitlines()


def changed(*replacements: tuple[str, str]) -> str:
    """The whole policy with words replaced; each must be there."""
    text = WHOLE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_the_whole_model_loads() -> None:
    site = loads(WHOLE).site
    assert (site.id, site.name, site.tz) == ("mine-a", "Mine A", "America/Santiago")
    assert site.conduits[0].allow[0].read == ((0, 199),)
    assert site.conduits[0].allow[0].write == ()
    assert site.conduits[0].allow[1].read is None
    assert (site.remote_access[0].windows[0].start, site.remote_access[0].windows[0].end) == (480, 720)
    # 2026-11-23T11:00:00Z, by `date -u -d … +%s`.
    assert site.changes[0].start_ns == 1_795_431_600 * 10**9


def test_a_file_is_known_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SITE.encode())
    loaded = load(file)
    assert loaded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (loaded.name, loaded.text) == ("site.yaml", SITE)


def test_ten_different_mistakes_are_ten_problems_in_the_order_of_the_file() -> None:
    text = changed(
        ("tz: America/Santiago", "tz: America/Santiagoo"),
        ("purdue: 2,", "purdue: 7,"),
        ("cidrs: [10.35.0.0/24]", "cidrs: [10.35.0.5/24]"),
        ("{id: hmi1, zone: plant,", "{id: hmi1, zone: plannt,"),
        ("role: plc,", "rolle: plc,"),
        ("  to: plant", "  to: cel-3"),
        ("dst: [ua1]", "dst: [ua9]"),
        ("read: [[0, 199]]", "read: [[199, 0]]"),
        ("rule: ra-acme", "rule: ra-acne"),
        ("class: C2", "class: C9"),
    )
    lines = problems(text)
    numbers = [int(line.split(":")[1].split(" ")[0]) for line in lines]
    assert numbers == sorted(numbers)
    places = [line.split(" ", 1)[1].split(": ")[0] for line in lines]
    assert places == [
        "site.tz",
        "zones[0].purdue",
        "zones[1].cidrs[0]",
        "assets[0].rolle",
        "assets[1].zone",
        "conduits[0].to",
        "conduits[0].allow[0].read[0]",
        "conduits[0].allow[1].dst[0]",
        "approvals[0].rule",
        "sla[0].class",
    ]


def test_an_error_names_file_line_key_and_repair() -> None:
    text = SITE.replace("  to: plant", "  to: plannt")
    line = text.splitlines().index("  to: plannt") + 1
    assert problems(text) == [
        f"site.yaml:{line} conduits[0].to: unknown zone 'plannt'; did you mean 'plant'?"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema: 1", "schema: 2", "schema: must be 1"),
        ("schema: 1\n", "", "schema: is missing; add `schema:`"),
        ("sl_t: 2", "slt: 2", "zones[0].slt: unknown key; did you mean 'sl_t'?"),
        ("purdue: 3.5", "purdue: high", "zones[1].purdue: 'high' is not a Purdue level"),
        ("cidrs: [10.20.0.0/24]", "cidrs: [10.20.0.0/40]", "zones[0].cidrs[0]: '10.20.0.0/40' is not an IPv4"),
        ("cidrs: [10.20.0.0/24]", "cidrs: [10.20.0.1/24]", "host bits set; write 10.20.0.0/24"),
        ("cidrs: [10.20.0.0/24]", "cidrs: 10.20.0.0/24", "zones[0].cidrs: must be a list"),
        ("cidrs: [10.35.0.0/24]", "cidrs: [10.35.0.0/24, 10.20.0.0/24]", "is already zone 'plant''s"),
        ("cidrs: [10.35.0.0/24]", "cidrs: [10.35.0.0/24, 10.35.0.0/24]", "is already this zone's"),
        ("ip: 10.20.0.12", "ip: 10.20.0.11", "is already the address of asset 'plc1'"),
        ("ip: 10.20.0.12", "ip: 10.35.0.12", "is in zone 'dmz', the asset says 'plant'"),
        ("ip: 10.20.0.12", "ip: 10.99.0.12", "is in no zone's prefixes"),
        ("ip: 10.20.0.12", "ip: 10.20.0.12/32", "leave out the prefix length"),
        ("ip: 10.20.0.12", "ip: 5", "assets[1].ip: must be text"),
        ("{id: hmi1,", "{id: plc1,", "assets[1].id: the asset 'plc1' is already at assets[0]"),
        ("{id: hmi1,", "{id: 'hmi 1',", "'hmi 1' is not an id"),
        ('mac: "00:00:5e:00:53:01"', 'mac: "00:00:5e:00:53"', "is not a MAC address"),
        ("role: plc,", "role: plcc,", "did you mean 'plc'?"),
        ("  to: plant", "  to: dmz", "from zone 'dmz' to itself"),
        ("src: [hist1]", "src: [plc1]", "the asset 'plc1' is in zone 'plant', the conduit says 'dmz'"),
        ("src: [hist1]", "src: [10.20.0.9]", "10.20.0.9 is in zone 'plant', the conduit says 'dmz'"),
        ("src: [hist1]", "src: [10.35.0.9/24]", "host bits set; write 10.35.0.0/24"),
        ("src: [hist1]", "src: [dmz]", "this is a zone"),
        ("src: [hist1]", "src: []", "src: must have at least one entry"),
        ("src: [hist1]", "src: hist1", "src: must be a list"),
        ("service: modbus, port", "service: modbsu, port", "unknown service 'modbsu'; did you mean 'modbus'?"),
        ("service: mqtt", "service: ssh", "`tls` is for rules with `service: mqtt`"),
        ("port: 502", "port: 0", "conduits[0].allow[0].port"),
        ("port: 502", "port: '502'", "port: must be a whole number"),
        ("units: [1]", "units: [256]", "units[0]"),
        ("functions: [3, 4]", "functions: [131]", "functions[0]"),
        ("read: [[0, 199]]", "read: [0, 199]", "write [first, last]"),
        ("read: [[0, 199]]", "read: [[40001, 70000]]", "not 40001-style"),
        ("expires: 2027-06-30", "expires: 2027-06-31", "'2027-06-31' is not a day"),
        ("expires: 2027-06-30", "expires: 30.06.2027", "is not a day; write it like 2027-06-30"),
        ("{id: r2,", "{id: r1,", "the rule 'r1' is already at conduits[0].allow[0]"),
        ("gateway: vpn1", "gateway: vpn9", "unknown asset 'vpn9'"),
        ("service: [rdp]", "service: [rpd]", "unknown service 'rpd'; did you mean 'rdp'?"),
        ('end: "12:00"', 'end: "08:00"', "ends before it starts"),
        ('end: "12:00"', 'end: "24:01"', "is not a time of day"),
        ("days: [mon]", "days: [monday]", "did you mean 'mon'?"),
        ("max_session: PT4H", "max_session: 4h", "'4h' is not a duration; write it like PT4H"),
        ("max_session: PT4H", "max_session: PT0S", "is not a duration"),
        ("2026-11-23T15:00:00Z", "2026-11-23T11:00:00Z", "intervals are [start, end)"),
        ("2026-11-23T15:00:00Z", "2026-11-23T15:00:00", "has no offset from UTC"),
        ("assets: [plc1]", "assets: [plc7]", "changes[0].assets[0]: unknown asset 'plc7'"),
        ("modbus.write", "modbus.wriet", "did you mean 'modbus.write'?"),
        ("scope: {zone: plant}", "scope: {zone: plant, conduit: c-hist}", "names both or neither"),
        ("scope: {zone: plant}", "scope: {conduit: c-hits}", "unknown conduit 'c-hits'; did you mean 'c-hist'?"),
        ("class: C2}", "class: C2, rtt_p95_ms: 500}", "is above the 99th"),
        ("class: C2}", "class: C2, availability_percent: 100}", "availability_percent"),
        ("client: hmi1", "client: hmi2", "unknown asset 'hmi2'; did you mean 'hmi1'?"),
        ("cidrs: [10.35.0.0/24]", "cidrs:", "zones[1].cidrs: has no value"),
        ("schema: 1", COMMANDS.format("a/#/b"), "detections.Q3.topics[1]: 'a/#/b' goes on after '#'"),
        ("schema: 1", COMMANDS.format("a/b+"), "'b+' in 'a/b+': '+' and '#' stand for whole levels"),
        ("schema: 1", COMMANDS.format("$share/g/a"), "is a shared subscription; leave out '$share/g'"),
        ("schema: 1", COMMANDS.format(""), "a topic filter has 1 to 65,535 bytes"),
        ("schema: 1", COMMANDS.format("1.5").replace('"', ""), "must be text; write it like"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem_with_its_repair(old: str, new: str, message: str) -> None:
    if new == "cidrs:":
        old, new = (
            "- {id: dmz, purdue: 3.5, criticality: C3, cidrs: [10.35.0.0/24]}",
            ("- id: dmz\n  purdue: 3.5\n  cidrs:\n"),
        )
    found = problems(changed((old, new)))
    assert message in "\n".join(found)
    assert all(line.startswith("site.yaml:") for line in found)


@pytest.mark.parametrize(
    ("old", "new", "place", "repair"),
    [
        (
            'mac: "00:00:5e:00:53:01"',
            "mac: 00:00:5e:00:53:01",
            "assets[0].mac",
            'quote it: "00:00:5e:00:53:01"',
        ),
        (
            'mac: "00:00:5e:00:53:01"',
            "mac: 10:10:10:10:10:10",
            "assets[0].mac",
            'quote it: "10:10:10:10:10:10"',
        ),
        ('start: "08:00"', "start: 08:00", "remote_access[0].windows[0].start", 'quote it: "08:00"'),
        ('end: "12:00"', "end: 12:00", "remote_access[0].windows[0].end", 'quote it: "12:00"'),
        (
            'rollback_by: "2026-11-23T16:00:00Z"',
            "rollback_by: 2026-11-23T16:00:00Z",
            "changes[0].rollback_by",
            'write "2026-11-23T16:00:00Z"',
        ),
        ("owner: ot}", "owner: no}", "assets[0].owner", "YAML reads no as false; quote it"),
        ("vendor: acme", "vendor: on", "remote_access[0].vendor", "YAML reads on as true; quote it"),
        ("owner: ot}", "on: ot}", "assets[0].on", "YAML reads the key on as true; quote it"),
        ("units: [1]", "units: [010]", "conduits[0].allow[0].units[0]", "octal"),
    ],
)
def test_yaml_traps_are_refused_with_the_repair(old: str, new: str, place: str, repair: str) -> None:
    found = problems(changed((old, new)))
    assert len(found) == 1
    assert f" {place}: " in found[0]
    assert repair in found[0]


def test_a_key_given_twice_is_refused() -> None:
    text = SITE.replace("  to: plant", "  to: plant\n  to: port")
    assert "conduits[0].to: given twice, first on line" in problems(text)[0]


def test_two_conduits_for_one_direction_are_refused() -> None:
    text = SITE + "- {id: c-again, from: dmz, to: plant}\n"
    assert "conduit 'c-hist' joins the same zones" in problems(text)[0]


def test_a_mistake_in_one_rule_does_not_hide_one_in_the_next() -> None:
    text = changed(("port: 502", "port: 70000"), ("dst: [ua1]", "dst: [hist1]"))
    found = "\n".join(problems(text))
    assert "conduits[0].allow[0].port" in found
    assert "conduits[0].allow[1].dst[0]: the asset 'hist1' is in zone 'dmz'" in found


def _directory(folder: Path) -> Path:
    return folder


def _missing(folder: Path) -> Path:
    return folder / "nothing.yaml"


def _with(content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        file = folder / "site.yaml"
        file.write_bytes(content)
        return file

    return write


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_directory, "this is a folder"),
        (_missing, "there is no such file"),
        (_with(b""), "the file is empty"),
        (_with(b"# only a remark\n"), "the file is empty"),
        (_with(b"just words"), "a policy is keys and values"),
        (_with(b"- 1\n- 2\n"), "a policy is keys and values"),
        (_with(b"\x7fELF\x02\x01\x01\x00\xff\xfe"), "not UTF-8 text"),
        (_with(SITE.encode("utf-16")), "not UTF-8 text"),
        (_with(b"a: \x00\x01"), "not YAML"),
        (_with(b"zones: [1, 2\n"), "not YAML"),
        (_with(b"zones: {a: b: c}\n"), "not YAML"),
        (_with(b"a: 1\n---\nb: 2\n"), "a second document"),
        (_with(b"a: !!python/object:os.system x\n"), "the tag"),
        (_with(b"[" * 100_000), "nested deeper"),
        (_with(b"a: *nothing\n"), "alias|nothing"),
        (_with(b"? [a]\n: b\n"), "cannot be a key"),
    ],
)
def test_what_is_no_policy_file_is_refused_clearly(
    make: Callable[[Path], Path], message: str, tmp_path: Path
) -> None:
    file = make(tmp_path)
    with pytest.raises(PolicyError, match=message) as refused:
        load(file)
    assert str(refused.value).startswith(str(file))


def test_aliases_that_expand_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases expanded" in problems("\n".join(lines))[0]


def test_an_anchor_and_its_alias_are_read() -> None:
    text = SITE.replace("reason: trending", "reason: &why trending").replace(
        "reason: reports", "reason: *why"
    )
    assert loads(text).site.conduits[1].allow[0].reason == "trending"


def test_a_file_beyond_the_size_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy.loader, "SIZE_LIMIT", len(SITE.encode()) - 1)
    assert "longer than" in problems(SITE)[0]
    monkeypatch.setattr(policy.loader, "SIZE_LIMIT", len(SITE.encode()))
    assert loads(SITE).site.id == "mine-a"


def test_line_numbers_survive_an_error_deep_in_a_long_file() -> None:
    text = SITE + "# a remark\n" * 1000 + "- {id: c-late, from: plant, to: porto}\n"
    assert problems(text)[0].startswith(f"site.yaml:{text.count(chr(10))} conduits[2].to: ")


def test_a_great_many_misspelt_names_are_all_told_and_the_first_ones_repaired() -> None:
    """A section renamed in a long policy: each name sought among all others would take hours."""
    names = [f"plant-controller-{number:04d}" for number in range(1_500)]
    assets = "".join(
        f"- {{id: {name}, zone: plant, ip: 10.20.{n // 200 + 1}.{n % 200}}}\n" for n, name in enumerate(names)
    )
    rules = "".join(f"  - {{id: s{n}, dst: [{name}x], port: 502}}\n" for n, name in enumerate(names))
    text = SITE.replace("10.20.0.0/24", "10.20.0.0/16").replace("conduits:\n", f"{assets}conduits:\n")
    text = text.replace("- id: c-office", f"{rules}- id: c-office")
    started = time.thread_time()
    found = problems(text)
    assert time.thread_time() - started < 5
    assert len(found) == len(names)
    assert "did you mean 'plant-controller-0000'" in found[0]
    assert "unknown asset 'plant-controller-1499x'; declare it" in found[-1]


def test_reading_a_policy_leaves_the_cycle_collector_as_it_was() -> None:
    assert gc.isenabled()
    loads(SITE)
    problems(SITE + "- {id: c-late, from: plant, to: porto}\n")
    problems("a: [1\n")
    assert gc.isenabled()
    gc.disable()
    try:
        loads(SITE)
        assert not gc.isenabled()
    finally:
        gc.enable()
