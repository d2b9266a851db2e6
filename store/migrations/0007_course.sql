-- The slots of every minute by zones and conduit: what burn rates read instead of every conversation's minute.

CREATE TABLE IF NOT EXISTS sla_course
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `start` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `valid` Bool,
    `exclusion` LowCardinality(String),
    `from_zone` LowCardinality(String),
    `to_zone` LowCardinality(String),
    `conduit` LowCardinality(String),
    `one_sided` Bool,
    `minutes` SimpleAggregateFunction(sum, UInt64),
    `packets` SimpleAggregateFunction(sum, UInt64),
    `slots` SimpleAggregateFunction(sum, UInt64),
    `good` SimpleAggregateFunction(sum, UInt64),
    `run` SimpleAggregateFunction(max, UInt64),
    `one_sided_requests` SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY replay
ORDER BY (site, start, from_zone, to_zone, conduit, valid, exclusion, one_sided, replay)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE MATERIALIZED VIEW IF NOT EXISTS sla_course_of_minutes TO sla_course AS
SELECT
    m.site AS site, m.replay AS replay,
    fromUnixTimestamp64Nano(toUnixTimestamp64Nano(m.minute) - toInt64(positiveModulo(toUnixTimestamp64Nano(m.minute), 60000000000)), 'UTC') AS start,
    m.from_zone AS from_zone, m.to_zone AS to_zone, m.conduit AS conduit, m.valid AS valid, m.exclusion AS exclusion, m.one_sided AS one_sided,
    count() AS minutes,
    sum(m.packets) AS packets,
    sum(m.transactions + m.missed) AS slots,
    sum(m.good) AS good,
    max(intDiv(m.transactions + m.missed, greatest(m.good + 1, 1))) AS run,
    sum(m.not_measurable_one_sided) AS one_sided_requests
FROM sla_minutes AS m
GROUP BY site, replay, start, from_zone, to_zone, conduit, valid, exclusion, one_sided;
