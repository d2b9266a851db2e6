-- Alerts that belong together, and by which of them their incident is named.

CREATE TABLE IF NOT EXISTS incident_members
(
    `id` String,
    `incident` String,
    `seq` UInt32,
    INDEX by_incident incident TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
PRIMARY KEY (id)
ORDER BY (id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)', index_granularity = 1024;
