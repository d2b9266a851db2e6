-- What usually happens on a site's network, and which replay was compared with it.

CREATE TABLE IF NOT EXISTS baselines
(
    `site` LowCardinality(String),
    `sha256` String,
    `text` String,
    `stored_at` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(stored_at)
PRIMARY KEY (site, sha256)
ORDER BY (site, sha256)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

ALTER TABLE replays ADD COLUMN IF NOT EXISTS `baseline_sha256` String;
