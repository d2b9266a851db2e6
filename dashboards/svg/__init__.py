"""Charts as SVG markup: pure functions, data in and markup out, classes only, no script and no inline style."""
