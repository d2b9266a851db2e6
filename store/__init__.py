"""ClickHouse: the only place that speaks SQL."""
