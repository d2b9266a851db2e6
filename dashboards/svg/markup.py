"""Elements of SVG as text: every value escaped, numbers short, no way to write raw markup."""

from __future__ import annotations

from markupsafe import Markup, escape

from dashboards.text import visible

Value = str | int | float
Child = str | Markup


def element(name: str, *children: Child, **attributes: Value | None) -> Markup:
    """One element. Attributes: `class_` for class, `x_y` for x-y, None leaves one out. Text children are escaped."""
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f' {_attribute(key)}="{escape(_text(value))}"')
    body = "".join(safe(child) for child in children)
    parts.append(f">{body}</{name}>" if body else "/>")
    return Markup("".join(parts))  # noqa: S704 -- every part was escaped above


def joined(*children: Child) -> Markup:
    """Several children as one."""
    return Markup("").join(safe(child) for child in children)


def safe(child: Child) -> Markup:
    """Markup as it is; text made visible and escaped."""
    return child if isinstance(child, Markup) else escape(visible(child))


def number(value: float) -> str:
    """A coordinate: one decimal is a tenth of a pixel, more is only weight."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0")
        if abs(value) < 0.05
        else f"{value:.1f}".removesuffix(".0")
    )


def path_of(points: list[tuple[float, float]]) -> str:
    """Points as the value of a `points` attribute."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def _attribute(key: str) -> str:
    # camel case (viewBox) and one-word names stay; a trailing underscore only avoids Python's own words
    return key.rstrip("_").replace("_", "-")


def _text(value: Value) -> str:
    if isinstance(value, float):
        return number(value)
    return visible(value) if isinstance(value, str) else str(value)
