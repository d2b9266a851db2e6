"""A mapping file in; how to read one system's export out, or every mistake of the file at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geophone.errors import UsageProblem
from policy.values import TimeZone
from policy.yaml_tree import YamlRefused, read

#: Fields of what is imported -> whether an export must have them.
APPROVAL_FIELDS: Final = {"ref": True, "rule": True, "start": True, "end": True, "approver": False}
LOGIN_FIELDS: Final = {"at": True, "source": True, "second_factor": True, "user": False}

_SIZE_LIMIT: Final = 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Constant(_Model):
    """A field that the export does not have: the same for every row."""

    value: Name = Field(description="what every row has")


class Times(_Model):
    """How the export writes times."""

    format: Name = Field(default="", description="as strptime reads it; RFC 3339 where left out")
    zone: TimeZone = Field(default="UTC", description="IANA time zone of times that name none")


class Mapping(_Model):
    """How to read one system's export."""

    form: Literal["csv", "jsonl"] = Field(
        alias="format", description="csv with a header, or a JSON object a line"
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(
        default=",", description="csv: what stands between two columns"
    )
    columns: dict[str, Name | Constant] = Field(
        description="our field -> their column, or dotted key of a JSON object, or {value: the same for all}"
    )
    where: dict[Name, tuple[str, ...]] = Field(
        default={}, description="their column -> what it may say; other rows are passed over"
    )
    values: dict[str, dict[str, str]] = Field(
        default={}, description="our field -> their word -> ours, like the name of a rule"
    )
    times: Times = Field(default=Times(), description="how times are written")


def load_mapping(file: Path, fields: dict[str, bool]) -> Mapping:
    """Read a mapping for these fields. Raises UsageProblem with every mistake of the file."""
    try:
        with file.open("rb") as source:
            text = source.read(_SIZE_LIMIT).decode("utf-8-sig")
        tree = read(text)
    except OSError as error:
        raise UsageProblem(f"--mapping {file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageProblem(f"--mapping {file}: not UTF-8 text") from None
    except YamlRefused as refused:
        raise UsageProblem(refused.problem.located(str(file))) from None
    if tree.problems:
        raise UsageProblem("\n".join(problem.located(str(file)) for problem in tree.problems))
    try:
        mapping = Mapping.model_validate(tree.root.data)
    except ValidationError as error:
        lines = [
            f"{file}:{tree.line(tuple(one['loc']))} {'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
        raise UsageProblem("\n".join(lines)) from None
    mistakes = [
        f"{file}: columns: {name} is missing; say which column has it, or {{value: …}}"
        for name, needed in fields.items()
        if needed and name not in mapping.columns
    ]
    mistakes += [
        f"{file}: {key}: there is no field {name}; the fields are {', '.join(fields)}"
        for key, given in (("columns", mapping.columns), ("values", mapping.values))
        for name in given
        if name not in fields
    ]
    if mistakes:
        raise UsageProblem("\n".join(mistakes))
    return mapping
