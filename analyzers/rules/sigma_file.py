"""The text of one Sigma rule in; the rule, or what is wrong with it, out. pySigma parses; here it is held to us."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any, Final

import polars as pl
import sigma.exceptions as wrong
from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionItem
from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.policy.profiles import TrustedPolicy
from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetectionItem
from sigma.types import SigmaFieldReference

from analyzers.rules.conditions import Unfit, expression
from analyzers.rules.fields import PRODUCT, SERVICES_OF_RULES, Service
from analyzers.rules.rule import Rule
from analyzers.rules.tags import techniques_of
from policy.problems import Problem, path_text
from policy.values import suggestion
from policy.yaml_tree import Data, Node, Tree, YamlRefused, read

#: `level` -> severity; without one a rule is of medium severity.
SEVERITIES: Final = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECOND_DOCUMENT: Final = re.compile(r"^---(\s|$)", re.MULTILINE)
_SHOWN_LIMIT: Final = 12
#: Which key a problem of pySigma's is about.
_PLACES: Final[tuple[tuple[type[SigmaError], str], ...]] = (
    (wrong.SigmaConditionError, "detection.condition"),
    (wrong.SigmaLogsourceError, "logsource"),
    (wrong.SigmaTitleError, "title"),
    (wrong.SigmaIdentifierError, "id"),
    (wrong.SigmaLevelError, "level"),
    (wrong.SigmaStatusError, "status"),
    (wrong.SigmaDateError, "date"),
    (wrong.SigmaModifiedError, "modified"),
    (wrong.SigmaTagError, "tags"),
)
_NOT_EVALUATED: Final = {
    "correlation": "correlation rules count over rows, which is not supported; write a rule for the rows, each finding "
    "counts the rows of a conversation within an hour",
    "filter": "filter rules change other rules, which is not supported; write the exception into the rule, as "
    "`condition: selection and not filter`",
    "action": "collections of rules in one file are not supported; write one rule a file",
}


def read_rule(text: str, file: str) -> Rule | list[Problem]:
    """The rule of a file's text, its `sha256` empty; or every problem that was found."""
    if len(_SECOND_DOCUMENT.findall(text.strip().removeprefix("---"))):
        line = [n for n, row in enumerate(text.splitlines(), 1) if _SECOND_DOCUMENT.match(row)][-1]
        return [Problem(line, "", "a second document starts here; write one rule a file")]
    if not text.strip():
        return [Problem(0, "", "the file is empty; a rule starts with `title:`")]
    try:
        tree = read(text)
    except YamlRefused as refused:
        return [refused.problem]
    return _Reading(tree, file).rule()


class _Reading:
    """One file: its values, and the problems found so far."""

    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._file = file
        self._problems = list(tree.problems)
        self._data: dict[str, Data] = tree.root.data if isinstance(tree.root.data, dict) else {}

    def rule(self) -> Rule | list[Problem]:
        if not self._data:
            return [Problem(self._tree.root.line, "", "a rule is keys and values; it starts with `title:`")]
        if refused := [
            Problem(self._tree.line((key,)), key, why)
            for key, why in _NOT_EVALUATED.items()
            if key in self._data
        ]:
            return refused
        service = self._service()
        if service is not None:
            self._check_fields(service)
        self._check_level()
        identity = self._identity()
        techniques = self._techniques()
        rule = self._parsed()
        if service is None or rule is None or self._problems:
            return self._problems
        matches = self._matches(rule, service)
        if matches is None or self._problems:
            return self._problems
        named = tuple(dict.fromkeys(_fields_of(rule)))
        return Rule(
            id=f"rule:{identity}",
            title=rule.title,
            description=" ".join((rule.description or "").split()),
            base_severity=SEVERITIES[str(rule.level)] if rule.level else SEVERITIES["medium"],
            sources=tuple(str(one) for one in rule.references),
            techniques=techniques,
            service=service,
            matches=matches,
            named=named,
            shown=tuple(dict.fromkeys((*named, *rule.fields)))[:_SHOWN_LIMIT],
            file=self._file,
            sha256="",
        )

    def _add(self, path: tuple[str | int, ...], message: str) -> None:
        self._problems.append(Problem(self._tree.line(path), path_text(path), message))

    def _service(self) -> Service | None:
        source = self._data.get("logsource")
        if not isinstance(source, dict):
            self._add(
                ("logsource",),
                f"a rule says what it looks at: logsource: {{product: {PRODUCT}, service: modbus}}",
            )
            return None
        if source.get("product") != PRODUCT:
            self._add(
                ("logsource", "product"),
                f"rules for '{source.get('product')}' look at what is not here; write product: {PRODUCT}",
            )
            return None
        if "category" in source:
            self._add(("logsource", "category"), "categories are not known here; name a service instead")
            return None
        name = source.get("service")
        found = SERVICES_OF_RULES.get(name) if isinstance(name, str) else None
        if found is None:
            known = ", ".join(SERVICES_OF_RULES)
            hint = suggestion(name, list(SERVICES_OF_RULES)) if isinstance(name, str) else ""
            self._add(("logsource", "service"), f"the services are {known}{hint}")
        return found

    def _check_fields(self, service: Service) -> None:
        """Fields and modifiers, each where it stands."""
        _, detection = self._tree.root.keys.get("detection", (0, None))
        if detection is None:
            return
        for path, line, key, value in _keys(detection, ("detection",)):
            before = len(self._problems)
            field, *modifiers = key.split("|")
            if not field:
                self._problems.append(
                    Problem(
                        line, path, "values without a field are not searched; name the field before the '|'"
                    )
                )
            elif field not in service.fields:
                hint = suggestion(field, list(service.fields))
                self._problems.append(
                    Problem(
                        line, path, f"{service.name} has no field '{field}' (docs/rules.md lists them){hint}"
                    )
                )
            for modifier in modifiers:
                if modifier not in modifier_mapping:
                    hint = suggestion(modifier, list(modifier_mapping))
                    self._problems.append(Problem(line, path, f"there is no modifier '{modifier}'{hint}"))
            if len(self._problems) == before and (wrong := _wrong_value(key, value)):
                self._problems.append(Problem(line, path, wrong))
        wanted = self._data.get("fields")
        for index, name in enumerate(wanted if isinstance(wanted, tuple) else ()):
            if name not in service.fields:
                hint = suggestion(str(name), list(service.fields))
                self._add(("fields", index), f"{service.name} has no field '{name}'{hint}")

    def _check_level(self) -> None:
        level = self._data.get("level", "medium")
        if not isinstance(level, str) or level.lower() not in SEVERITIES:
            hint = suggestion(str(level), list(SEVERITIES))
            self._add(("level",), f"'{level}' is no level; the levels are {', '.join(SEVERITIES)}{hint}")

    def _identity(self) -> str:
        """What the rule's findings are known by."""
        name, uuid_text = self._data.get("name"), self._data.get("id")
        if name is not None:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                self._add(("name",), "a name has up to 64 letters, digits, '.', '_' and '-'")
            return str(name)
        if uuid_text is None:
            title = re.sub(r"[^a-z0-9]+", "-", str(self._data.get("title", "rule")).lower()).strip("-")[:64]
            self._add(
                ("id",), f"findings are known by their rule's name or id; write name: {title or 'my-rule'}"
            )
            return ""
        try:
            return str(uuid.UUID(str(uuid_text)))
        except ValueError:
            self._add(("id",), f"'{uuid_text}' is not a UUID; write one, or leave it out and write a name")
            return ""

    def _techniques(self) -> tuple[str, ...]:
        tags = self._data.get("tags")
        if not isinstance(tags, tuple):
            return ()
        lines = [self._tree.line(("tags", index)) for index in range(len(tags))]
        techniques, problems = techniques_of(tags, lines)
        self._problems += problems
        return techniques

    def _parsed(self) -> SigmaRule | None:
        reported = {problem.path.partition(".")[0].partition("[")[0] for problem in self._problems}
        if "detection" in reported:
            return None
        try:
            # pySigma only reads the patterns; the engine that runs them says whether they can be run.
            rule = SigmaRule.from_dict(_plain(self._data), collect_errors=True, policy=TrustedPolicy)
        except (SigmaError, ValueError, TypeError, AttributeError) as error:
            self._add(("detection",), f"not a Sigma rule: {error}")
            return None
        for problem in rule.errors:
            place = next((path for kind, path in _PLACES if isinstance(problem, kind)), "detection")
            if place.partition(".")[0] not in reported:
                self._add(tuple(place.split(".")), _sentence(problem))
        if not rule.title and not rule.errors:
            self._add(("title",), "a rule has a title: it finishes 'the network shows…'")
        return rule

    def _matches(self, rule: SigmaRule, service: Service) -> pl.Expr | None:
        try:
            conditions = [one.parsed for one in rule.detection.parsed_condition]
            return reduce(or_, (expression(one, service.fields) for one in conditions))
        except Unfit as unfit:
            self._problems.append(self._placed(unfit))
        except SigmaError as error:
            self._add(("detection", "condition"), _sentence(error))
        except RecursionError:
            self._add(("detection", "condition"), "nested too deeply; write it flatter")
        return None

    def _placed(self, unfit: Unfit) -> Problem:
        """At the first comparison of the field that does not fit."""
        _, detection = self._tree.root.keys["detection"]
        for path, line, key, _ in _keys(detection, ("detection",)):
            if unfit.field and key.partition("|")[0] == unfit.field:
                return Problem(line, path, str(unfit))
        path_of = ("detection", "condition")
        return Problem(self._tree.line(path_of), path_text(path_of), str(unfit))


def _wrong_value(key: str, value: Data) -> str:
    """What pySigma has against one comparison; empty where nothing."""
    try:
        SigmaDetectionItem.from_mapping(key, _plain(value), policy=TrustedPolicy)
    except (SigmaError, TypeError, ValueError) as error:
        return _sentence(error)
    return ""


def _keys(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[str, int, str, Data]]:
    """The keys of the comparisons of a detection: place, line, key as written and value."""
    for name, (_, search) in node.keys.items():
        if name in ("condition", "timeframe"):
            continue
        here = (*path, name)
        maps = [(here, search), *(((*here, index), item) for index, item in enumerate(search.items))]
        for place, one in maps:
            for key, (line, value) in one.keys.items():
                yield path_text((*place, key)), line, key, value.data


def _fields_of(rule: SigmaRule) -> Iterator[str]:
    """The fields that the conditions name, in their order."""
    stack: list[Any] = [one.parsed for one in reversed(rule.detection.parsed_condition)]
    while stack:
        one = stack.pop()
        if isinstance(one, ConditionFieldEqualsValueExpression):
            yield one.field
            if isinstance(one.value, SigmaFieldReference):
                yield one.value.field
        elif isinstance(one, ConditionItem):
            stack += reversed(one.args)


def _plain(value: Data) -> Any:
    """Lists as pySigma takes them."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _sentence(error: Exception) -> str:
    """The message of an error, without a full stop."""
    return str(error).strip().rstrip(".")
