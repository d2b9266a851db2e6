"""A policy file in; the site, its hash and its text out, or every problem at once with line, key and repair."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policy.consistency import Entries, consistency_problems
from policy.evidence import NO_EVIDENCE, Evidence
from policy.evidence_files import load_evidence
from policy.model import AllowRule, Asset, Conduit, Model, Site, Sla, Zone
from policy.problems import Path, PolicyError, Problem, path_text
from policy.references import reference_problems
from policy.values import suggestion
from policy.yaml_tree import Data, Tree, YamlRefused, collector_resting, read

__all__ = ["LoadedPolicy", "PolicyError", "load", "loads"]

#: A policy of 10,000 rules with reasons and owners has some 3 MB.
SIZE_LIMIT: Final = 16 * 1024 * 1024

Entry = TypeVar("Entry", bound=Model)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that may be used: the site, and what proves which file it was."""

    site: Site
    sha256: str
    text: str
    name: str
    evidence: Evidence = NO_EVIDENCE  #: imported files that it is judged with


def load(
    path: str | FilePath, approvals: FilePath | None = None, gateway_log: FilePath | None = None
) -> LoadedPolicy:
    """Read a policy file and what was imported for it: the files given, else those that the policy names.

    Raises PolicyError, whose text lists all problems, also where there is no such file.
    """
    file = FilePath(path)
    name = str(path)
    try:
        if file.is_dir():
            raise _refusal(name, "this is a folder; name a policy file")
        with file.open("rb") as source:
            content = source.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise _refusal(name, "there is no such file") from None
    except OSError as error:
        raise _refusal(name, f"cannot be read: {error.strerror or error}") from None
    policy = _parse(content, name, file.name)
    return replace(policy, evidence=load_evidence(policy.site, file.parent, approvals, gateway_log))


def loads(text: str | bytes, name: str = "policy.yaml") -> LoadedPolicy:
    """Read a policy from text or its bytes, without any imported file; `name` stands for it in messages."""
    return _parse(text.encode() if isinstance(text, str) else text, name, name)


def _refusal(name: str, message: str) -> PolicyError:
    return PolicyError(name, [Problem(0, "", message)])


def _parse(content: bytes, name: str, short_name: str) -> LoadedPolicy:
    if len(content) > SIZE_LIMIT:
        raise _refusal(name, f"longer than {SIZE_LIMIT // 2**20} MiB; is this a policy file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError(name, [Problem(line, "", "not UTF-8 text; save the file as UTF-8")]) from None
    try:
        with collector_resting():
            site, problems = _judge(read(text))
    except YamlRefused as refused:
        raise PolicyError(name, [refused.problem]) from None
    if problems or site is None:
        raise PolicyError(name, problems)
    return LoadedPolicy(site, hashlib.sha256(content).hexdigest(), text, short_name)


def _judge(tree: Tree) -> tuple[Site | None, list[Problem]]:
    data = tree.root.data
    if not isinstance(data, dict):
        return None, [Problem(tree.root.line, "", "a policy is keys and values; it starts with `schema: 1`")]
    site: Site | None = None
    found: list[tuple[Path, str]] = []
    try:
        site = Site.model_validate(data)
    except ValidationError as error:
        found.extend(_translated(error))
    entries = _entries(data)
    found.extend(reference_problems(data))
    found.extend(consistency_problems(entries))
    problems = [
        Problem(tree.line(path), path_text(path), message)
        for path, message in found
        if path_text(path) not in tree.spoiled
    ]
    return site, [*tree.problems, *problems]


def _entries(data: Mapping[str, Data]) -> Entries:
    """The entries that are right in themselves; the others are reported by the model already."""
    entries = Entries(
        zones=list(_right(data, ("zones",), Zone)),
        assets=list(_right(data, ("assets",), Asset)),
        sla=list(_right(data, ("sla",), Sla)),
    )
    conduits = data.get("conduits")
    for index, raw in enumerate(conduits if isinstance(conduits, tuple) else ()):
        if not isinstance(raw, dict):
            continue
        for path, conduit in _right({"conduits": ({**raw, "allow": ()},)}, ("conduits",), Conduit):
            here = (*path[:-1], index)
            entries.conduits.append((here, conduit))
            entries.rules.extend(
                ((*here, *at), conduit, rule) for at, rule in _right(raw, ("allow",), AllowRule)
            )
    return entries


def _right(data: Mapping[str, Data], path: tuple[str], model: type[Entry]) -> Iterator[tuple[Path, Entry]]:
    """Each item of a list that the model accepts, with its place."""
    items = data.get(path[0])
    for index, item in enumerate(items if isinstance(items, tuple) else ()):
        try:
            yield (*path, index), model.model_validate(item)
        except ValidationError:
            continue  # reported where the whole site is validated


def _translated(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """The model's errors as places and messages with repairs."""
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # long enough, but for the entries that are wrong: those are reported
        yield tuple(detail["loc"]), _message(detail)


def _message(detail: ErrorDetails) -> str:
    """One error in words: what is wrong, and how to write it."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        known = _keys_at(detail["loc"][:-1])
        return f"unknown key{suggestion(key, known) or '; known here: ' + ', '.join(known)}"
    if kind == "missing":
        return f"is missing; add `{detail['loc'][-1]}:`"
    if kind == "value_error":
        return str(context["error"])
    if value is None:
        return "has no value; give one or leave the key out"
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"must be {context['expected']}, not {value!r}{suggestion(str(value), known)}"
    repair = _REPAIRS.get(kind)
    shown = (
        "a list"
        if isinstance(value, tuple)
        else "keys and values"
        if isinstance(value, dict)
        else repr(value)
    )
    return (
        f"{repair}, not {shown}" if repair else f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, not {shown}"
    )


_REPAIRS: Final = {
    "string_type": "must be text; quote it",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list, in [ ] or with each item after `- `",
    "model_type": "must be keys and values",
    "dict_type": "must be keys and values",
    "too_short": "must have at least one entry",
}


def _keys_at(path: tuple[int | str, ...]) -> list[str]:
    """The keys that a place of the policy may have."""
    model: type[BaseModel] = Site
    for part in path:
        if isinstance(part, int):
            continue
        for name, info in model.model_fields.items():
            if part == (info.alias or name):
                model = _model_in(info.annotation) or model
                break
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model inside `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
