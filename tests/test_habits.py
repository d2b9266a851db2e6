"""The repository's own promises: what its files say of each other stays true."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from geophone import __version__
from geophone.cli import main

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
#: Folders that only hold what was built, fetched or installed.
BUILT = {".git", ".venv", ".cache", "__pycache__", "target", "build", "dist", "geophone-store"}


def repository_files() -> list[Path]:
    """Every file that is or may become part of the repository, relative to its root."""
    if (ROOT / ".git").exists():
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        files = [Path(name) for name in names.split("\0") if name]
    else:
        files = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    return sorted(file for file in files if (ROOT / file).is_file() and not BUILT & set(file.parts))


def text_of(file: Path) -> str | None:
    """The file's text; None where it is not UTF-8 text, as captures and pictures are not."""
    content = (ROOT / file).read_bytes()
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def pins(lock: str) -> dict[str, str]:
    """Package -> version of a lock file."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ \\]+)", (ROOT / lock).read_text(), flags=re.M))


def test_readme_names_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"^```[a-z]*\n(.*?)^```|((?:^ {4}.*\n)+)", readme, flags=re.M | re.S)
    assert block, "README.md shows no command"
    lines = (block[1] or block[2]).splitlines()
    commands = [line.strip().removeprefix("$ ").partition("#")[0].split() for line in lines if line.strip()]
    assert [command[:2] for command in commands] == [["make", "demo"], ["make", "test"]]


def commands(group: click.Group, prefix: str) -> dict[str, click.Command]:
    """The full name of every command of the command line, groups opened."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        found |= commands(command, full) if isinstance(command, click.Group) else {full: command}
    return found


def test_readme_shows_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    all_commands = commands(main, "geophone")
    assert "geophone replay" in all_commands
    assert [name for name in all_commands if name not in readme] == []


def test_every_option_says_what_it_is_for() -> None:
    unsaid = [
        f"{name} {option.opts[0]}"
        for name, command in commands(main, "geophone").items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert unsaid == []


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: ([a-z-]+)$", makefile, flags=re.M))
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.M))
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    listed = {line.split()[0] for line in shown.splitlines() if len(line.split()) > 1}
    assert targets
    assert listed == targets == phony


def test_continuous_integration_runs_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    code = [line for line in lines if line and not line.startswith("#")]
    assert code == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test </dev/null"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111, ".ci/run is not executable"


def test_no_file_names_a_package_registry() -> None:
    # Mirrors are the user's choice. Written in parts, so that this file does not name them either.
    hosts = [
        ".".join(parts)
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("crates", "io"),
            ("registry", "npmjs"),
            ("npmjs", "com"),
            ("deb", "debian"),
            ("debian", "org"),
            ("docker", "io"),
        )
    ]
    found = []
    for file in repository_files():
        for number, line in enumerate((text_of(file) or "").splitlines(), start=1):
            # Cargo writes the name of its index, not of a host that it asks, into every lock.
            if file.name == "Cargo.lock" and line.startswith('source = "registry+'):
                continue
            found += [f"{file}:{number}: {host}" for host in hosts if host in line]
    assert found == []


def test_no_source_file_is_longer_than_600_lines() -> None:
    suffixes = {".py", ".pyi", ".rs", ".md", ".html", ".css", ".js", ".sql", ".yaml", ".toml", ".sh"}
    sources = [file for file in repository_files() if file.suffix in suffixes]
    lengths = {str(file): len((text_of(file) or "").splitlines()) for file in sources}
    assert "tests/test_habits.py" in lengths
    assert {file: length for file, length in lengths.items() if length > 600} == {}


def test_version_is_the_same_everywhere() -> None:
    crate = tomllib.loads((ROOT / "sensors" / "native" / "Cargo.toml").read_text())
    newest = re.search(r"^## \[?v?([0-9][^\s\]]*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert newest, "CHANGELOG.md has no entry of the form '## 1.2.3'"
    assert {crate["package"]["version"], newest[1], __version__} == {PYPROJECT["project"]["version"]}


def test_development_lock_holds_the_pins_of_the_others() -> None:
    # make demo trusts this: where the development packages are installed, it installs nothing.
    development = pins("requirements-dev.lock")
    for lock in LOCKS:
        held = pins(lock)
        assert held
        assert held.items() <= development.items(), lock


def test_locks_hold_every_declared_dependency() -> None:
    def names(requirements: list[str]) -> set[str]:
        found = {re.match(r"[A-Za-z0-9._-]+", entry)[0].lower() for entry in requirements}  # type: ignore[index]
        return {re.sub(r"[._-]+", "-", name) for name in found} - {"geophone"}

    project = PYPROJECT["project"]
    extras = [entry for group in project["optional-dependencies"].values() for entry in group]
    assert names(project["dependencies"]) <= pins("requirements.lock").keys()
    assert names(project["dependencies"] + extras) <= pins("requirements-dev.lock").keys()
    assert names(PYPROJECT["build-system"]["requires"]) <= pins("requirements-build.lock").keys()


def test_demo_installs_nothing_that_only_tests_need() -> None:
    assert (
        not {"pytest", "playwright", "mypy", "ruff", "scapy", "pymodbus"} & pins("requirements.lock").keys()
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.M)[1:]
    assert entries
    assert [entry.partition(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = {path.name for path in folder.glob("[0-9]*.md")}
    listed = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text())
    assert records
    assert sorted(records) == listed, "docs/decisions/README.md lists each record once, in order"


def test_links_between_documents_lead_somewhere() -> None:
    links = [
        (file, target)
        for file in repository_files()
        if file.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(file) or "")
    ]
    assert links
    broken = [
        f"{file}: {target}"
        for file, target in links
        if "://" not in target and not (ROOT / file.parent / target).exists()
    ]
    assert broken == []


def test_licence_is_the_declared_one() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
