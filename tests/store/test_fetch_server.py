from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.fetch_server import fetch
from tests.support.fetching import FetchError


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no npm to fetch anything with
    library = tmp_path / "libchdb.so"
    library.write_bytes(b"engine")
    assert fetch(library) is False
    assert library.read_bytes() == b"engine"


def test_says_what_to_install_where_npm_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="npm is not installed: install it"):
        fetch(tmp_path / "new" / "libchdb.so")
    assert not (tmp_path / "new").exists()


def test_what_was_changed_on_the_way_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\nprintf changed > "$4/package.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="it was changed on the way"):
        fetch(tmp_path / "new" / "libchdb.so")
    assert not (tmp_path / "new" / "libchdb.so").exists()


def test_says_what_npm_said_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'network is down' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match=r"failed \(network is down\): check that npm reaches its registry"):
        fetch(tmp_path / "new" / "libchdb.so")
