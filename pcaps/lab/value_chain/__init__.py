"""Mine to port, the second site: `plan` has what there is, `day` what is said, `telemetry` what is published."""
