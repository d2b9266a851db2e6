"""YAML text in; plain values that remember their lines out.

Built from the parser's events, not by a constructor: no object of any class can be made, and size, depth and the
expansion of aliases are bounded before anything is held. Words that YAML 1.1 silently turns into something else
(12:00 into 720, no into false, 010 into 8) are refused with the repair.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from policy.problems import Path, Problem, path_text

Scalar = str | int | float | bool | None
Data = Scalar | dict[str, "Data"] | tuple["Data", ...]

DEPTH_LIMIT: Final = 32
#: Values, counted with aliases expanded: 10,000 rules have some 300,000.
VALUES_LIMIT: Final = 2_000_000
_NUMBER_LENGTH_LIMIT: Final = 32

_MAC_OR_CLOCK: Final = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{2}){5}|\d{1,2}:\d\d(:\d\d)?", re.IGNORECASE)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_OCTAL: Final = re.compile(r"[-+]?0[0-9_]+")
_RESOLVERS: Final = yaml.SafeLoader.yaml_implicit_resolvers


class YamlRefused(Exception):
    """The text is not YAML that can be read at all."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(slots=True)
class Node:
    """One value: `data` is what it holds, the children are where its lines are."""

    line: int
    data: Data
    size: int = 1
    items: list[Node] = field(default_factory=list)
    keys: dict[str, tuple[int, Node]] = field(default_factory=dict)


@dataclass(slots=True)
class Tree:
    """A document that was read, and the words in it that mean something else than they seem."""

    root: Node
    problems: list[Problem]
    #: Places that already have a problem: what they hold is not judged further.
    spoiled: set[str]

    def line(self, path: Path) -> int:
        """The line of a place: of its key where it has one, of the deepest part that exists otherwise."""
        node, line = self.root, self.root.line
        for part in path:
            if isinstance(part, str) and part in node.keys:
                line, node = node.keys[part]
            elif isinstance(part, int) and part < len(node.items):
                node = node.items[part]
                line = node.line
            else:
                break
        return line


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end is not read yet."""

    node: Node
    mapping: bool
    path: Path
    anchor: str | None
    key: str | None = None
    key_line: int = 0
    discard: bool = False


def read(text: str) -> Tree:
    """Read one YAML document; raises YamlRefused where nothing can be made of it."""
    builder = _Builder()
    try:
        with collector_resting():
            for event in _events(text):
                builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise YamlRefused(Problem(line, "", f"not YAML: {error.problem or error.context}")) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 0
        raise YamlRefused(Problem(line, "", f"not YAML: {error.reason}; is this a text file?")) from None
    return builder.tree()


@contextmanager
def collector_resting() -> Iterator[None]:
    """Python's cycle collector off while a policy is read: what is built refers to its parts and never back.

    It would look through all of it again and again while it grows: half the time of ten thousand rules.
    """
    working = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if working:
            gc.enable()


def _events(text: str) -> Iterator[Event]:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return iter(yaml.parse(text, Loader=loader))


class _Builder:
    def __init__(self) -> None:
        self._root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._problems: list[Problem] = []
        self._spoiled: set[str] = set()
        self._size = 0

    def tree(self) -> Tree:
        if self._root is None:
            raise YamlRefused(Problem(0, "", "the file is empty; a policy starts with `schema: 1`"))
        return Tree(self._root, self._problems, self._spoiled)

    def take(self, event: Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, DocumentStartEvent) and self._root is not None:
            raise YamlRefused(Problem(line, "", "a second document starts here; a policy is one document"))
        if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent) and event.tag not in (
            None,
            "!",
        ):
            raise YamlRefused(Problem(line, "", f"the tag {event.tag} is not read; leave it out"))
        if isinstance(event, ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, AliasEvent):
            self._alias(event, line)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._start(event, line)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._end()

    def _start(self, event: MappingStartEvent | SequenceStartEvent, line: int) -> None:
        mapping = isinstance(event, MappingStartEvent)
        if len(self._open) >= DEPTH_LIMIT:
            raise YamlRefused(Problem(line, "", f"nested deeper than {DEPTH_LIMIT} levels"))
        if self._expects_key():
            raise YamlRefused(
                Problem(line, self._here(), "a list or mapping cannot be a key; is a `:` missing?")
            )
        path = self._place()
        self._open.append(_Open(Node(line, {} if mapping else ()), mapping, path, event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        if not done.mapping:
            done.node.data = tuple(item.data for item in done.node.items)
        done.node.size = (
            1 + sum(n.size for n in done.node.items) + sum(n.size for _, n in done.node.keys.values())
        )
        if done.anchor:
            self._anchors[done.anchor] = done.node
        self._attach(done.node)

    def _scalar(self, event: ScalarEvent, line: int) -> None:
        plain = bool(event.implicit[0])
        if self._expects_key():
            self._key(event.value, plain, line)
            return
        path = self._place()
        data, trap = _value(event.value, plain)
        if trap:
            self._spoil(line, path, trap)
        node = Node(line, data)
        self._count(1, line)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._attach(node)

    def _alias(self, event: AliasEvent, line: int) -> None:
        target = self._anchors.get(event.anchor or "")
        if target is None:
            raise YamlRefused(
                Problem(line, self._here(), f"the alias *{event.anchor} has no anchor before it")
            )
        if self._expects_key():
            raise YamlRefused(Problem(line, self._here(), "an alias cannot be a key; write the key out"))
        self._count(target.size, line)
        self._attach(target)

    def _key(self, key: str, plain: bool, line: int) -> None:
        top = self._open[-1]
        top.key, top.key_line = key, line
        path: Path = (*top.path, key)
        if key in top.node.keys:
            self._problems.append(
                Problem(
                    line, path_text(path), f"given twice, first on line {top.node.keys[key][0]}; keep one"
                )
            )
            top.discard = True
        elif plain and key == "<<":
            self._spoil(line, path, "merge keys are not read; write the keys out")
        elif plain and _resolved(key).endswith(":bool"):
            self._spoil(line, path, f"YAML reads the key {key} as {_boolean(key)}; quote it")

    def _attach(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        top = self._open[-1]
        if not top.mapping:
            top.node.items.append(node)
            return
        if top.key is None:
            raise YamlRefused(Problem(node.line, self._here(), "a value without a key"))
        if not top.discard:
            top.node.keys[top.key] = (top.key_line, node)
            data = top.node.data
            if isinstance(data, dict):
                data[top.key] = node.data
        top.key, top.discard = None, False

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].mapping and self._open[-1].key is None

    def _place(self) -> Path:
        if not self._open:
            return ()
        top = self._open[-1]
        return (*top.path, top.key if top.mapping and top.key is not None else len(top.node.items))

    def _here(self) -> str:
        return path_text(self._open[-1].path) if self._open else ""

    def _spoil(self, line: int, path: Path, message: str) -> None:
        text = path_text(path)
        self._problems.append(Problem(line, text, message))
        self._spoiled.add(text)

    def _count(self, values: int, line: int) -> None:
        self._size += values
        if self._size > VALUES_LIMIT:
            raise YamlRefused(Problem(line, "", f"more than {VALUES_LIMIT:,} values, aliases expanded"))


@lru_cache(maxsize=4_096)
def _resolved(text: str) -> str:
    """The YAML 1.1 tag of a plain word."""
    for tag, pattern in _RESOLVERS.get(text[:1], []):
        if pattern.match(text):
            return str(tag)
    return "tag:yaml.org,2002:str"


def _boolean(text: str) -> str:
    return "true" if text.lower() in ("yes", "on", "true") else "false"


def _value(text: str, plain: bool) -> tuple[Scalar, str]:
    """A word's value, and what is wrong with how it is written (the value is then the text, as if quoted)."""
    if not plain:
        return text, ""
    kind = _resolved(text).rpartition(":")[2]
    if _MAC_OR_CLOCK.fullmatch(text) or (kind in ("int", "float") and ":" in text):
        return text, f'YAML may read {text} as a number; quote it: "{text}"'
    if kind == "timestamp" and not _DAY.fullmatch(text):
        return text, f'times are quoted; write "{text}"'
    if kind == "null":
        return None, ""
    if kind == "bool":
        if text.lower() in ("true", "false"):
            return text.lower() == "true", ""
        return text, f'YAML reads {text} as {_boolean(text)}; quote it: "{text}", or write {_boolean(text)}'
    if kind in ("int", "float"):
        return _number(text, kind)
    return text, ""


def _number(text: str, kind: str) -> tuple[Scalar, str]:
    if _OCTAL.fullmatch(text):
        return (
            text,
            f'YAML reads {text} as an octal number; leave out the leading zero, or quote it: "{text}"',
        )
    if len(text) > _NUMBER_LENGTH_LIMIT:
        return text, "a number this long is not read; quote it if it is text"
    digits = text.replace("_", "").lower()
    if "inf" in digits or "nan" in digits:
        return text, f"{text} is not a number that can be used here"
    return (int(digits, 0) if kind == "int" else float(digits)), ""
