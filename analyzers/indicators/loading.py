"""Files of indicators in; the indicators out, and what was not taken with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzers.indicators.indicator import Indicator, IndicatorSet
from analyzers.indicators.stix_bundle import read_bundle
from analyzers.indicators.table import read_table
from policy.named_files import NamedFile

SIZE_LIMIT: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """What files of indicators hold."""

    indicators: IndicatorSet
    #: `file:line or id: why`, in the order of the files.
    not_taken: tuple[str, ...]
    #: The files, in their order.
    files: tuple[NamedFile, ...] = ()


def load_indicators(files: Iterable[Path]) -> Loaded:
    """STIX 2.1 bundles (.json) and tables (.csv). Raises OSError where a file cannot be read."""
    taken: list[Indicator] = []
    not_taken: list[str] = []
    named: list[NamedFile] = []
    for file in files:
        content = file.read_bytes() if file.stat().st_size <= SIZE_LIMIT else b""
        named.append(NamedFile("indicators", str(file), hashlib.sha256(content).hexdigest()))
        if not content.strip():
            not_taken.append(f"{file}: empty, or larger than {SIZE_LIMIT >> 20} MiB; nothing of it was taken")
            continue
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            not_taken.append(f"{file}: not UTF-8 text; save the file as UTF-8")
            continue
        read = read_bundle if text.lstrip().startswith(("{", "[")) else read_table
        indicators, reasons = read(text, file.name)
        taken += indicators
        not_taken += [f"{file}{reason}" for reason in reasons]
    return Loaded(IndicatorSet.of(taken), tuple(not_taken), tuple(named))
