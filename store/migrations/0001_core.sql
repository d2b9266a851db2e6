-- The stored tables of version 1: printed by `python -m store.schema`.

CREATE TABLE IF NOT EXISTS flows
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `flow_id` UInt32,
    `ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `last_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `first_frame` UInt64,
    `last_frame` UInt64,
    `ip_proto` UInt8,
    `client_ip` IPv6,
    `server_ip` IPv6,
    `client_port` UInt16,
    `server_port` UInt16,
    `client_mac` UInt64,
    `server_mac` UInt64,
    `vlan` UInt16,
    `role_source` LowCardinality(String),
    `service` LowCardinality(String),
    `confidence` LowCardinality(String),
    `established` Bool,
    `syn_frame` Nullable(UInt64),
    `syn_ack_frame` Nullable(UInt64),
    `packets_c2s` UInt32,
    `packets_s2c` UInt32,
    `wire_bytes_c2s` UInt64,
    `wire_bytes_s2c` UInt64,
    `payload_bytes_c2s` UInt64,
    `payload_bytes_s2c` UInt64,
    `data_segments_c2s` UInt32,
    `data_segments_s2c` UInt32,
    `retransmitted_segments_c2s` UInt32,
    `retransmitted_segments_s2c` UInt32,
    `filled_holes_c2s` UInt32,
    `filled_holes_s2c` UInt32,
    `out_of_order_segments_c2s` UInt32,
    `out_of_order_segments_s2c` UInt32,
    `unseen_segments_c2s` UInt32,
    `unseen_segments_s2c` UInt32,
    `gap_bytes_c2s` UInt64,
    `gap_bytes_s2c` UInt64,
    `duplicate_packets_c2s` UInt32,
    `duplicate_packets_s2c` UInt32,
    `resets_c2s` UInt32,
    `resets_s2c` UInt32,
    `fins_c2s` UInt32,
    `fins_s2c` UInt32,
    `handshake_server_rtt_ns` Nullable(UInt64),
    `handshake_client_rtt_ns` Nullable(UInt64),
    `end_reason` LowCardinality(String),
    INDEX by_client client_ip TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_server server_ip TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(ts), server_ip, client_ip)
ORDER BY (site, toStartOfHour(ts), server_ip, client_ip, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS modbus
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `flow_id` UInt32,
    `client_ip` IPv6,
    `server_ip` IPv6,
    `client_port` UInt16,
    `server_port` UInt16,
    `request_frame` Nullable(UInt64),
    `response_frame` Nullable(UInt64),
    `transaction_id` UInt16,
    `unit` UInt8,
    `function` UInt8,
    `outcome` LowCardinality(String),
    `exception_code` Nullable(UInt8),
    `latency_ns` Nullable(UInt64),
    `address` Nullable(UInt16),
    `quantity` Nullable(UInt16),
    `write_address` Nullable(UInt16),
    `write_quantity` Nullable(UInt16),
    `values_read` Array(UInt16),
    `values_written` Array(UInt16),
    `sub_function` Nullable(UInt16),
    `and_mask` Nullable(UInt16),
    `or_mask` Nullable(UInt16),
    `detail` String,
    `request_bytes` UInt16,
    `response_bytes` UInt16,
    `after_gap` Bool,
    `confidence` LowCardinality(String),
    INDEX by_client client_ip TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_server server_ip TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(ts), server_ip, client_ip)
ORDER BY (site, toStartOfHour(ts), server_ip, client_ip, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS anomalies
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `frame` UInt64,
    `flow_id` Nullable(UInt32),
    `layer` LowCardinality(String),
    `kind` LowCardinality(String),
    `detail` String
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(ts), layer, kind)
ORDER BY (site, toStartOfHour(ts), layer, kind, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS coverage
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `minute` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `interface_id` UInt16,
    `link_type` UInt16,
    `packets` UInt64,
    `wire_bytes` UInt64,
    `captured_bytes` UInt64,
    `unread_packets` UInt64,
    `malformed_packets` UInt64,
    `cut_packets` UInt64,
    `fragments` UInt64,
    `duplicate_packets` UInt64,
    `dropped_packets` UInt64,
    `data_segments` UInt64,
    `unseen_segments` UInt64,
    `gap_bytes` UInt64,
    `evicted_flows` UInt64,
    `evicted_bytes` UInt64
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(minute))
ORDER BY (site, toStartOfHour(minute), interface_id, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS sla_minutes
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `minute` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `valid` Bool,
    `from_zone` LowCardinality(String),
    `to_zone` LowCardinality(String),
    `conduit` LowCardinality(String),
    `client_ip` IPv6,
    `server_ip` IPv6,
    `server_port` UInt16,
    `ip_proto` UInt8,
    `service` LowCardinality(String),
    `first_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `last_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `first_frame` UInt64,
    `packets` UInt64,
    `wire_bytes` UInt64,
    `data_segments` UInt64,
    `lost_segments` UInt64,
    `out_of_order_segments` UInt64,
    `unseen_segments` UInt64,
    `duplicate_packets` UInt64,
    `rtt_buckets` Array(Int16),
    `rtt_counts` Array(UInt32),
    `transactions` UInt64,
    `good` UInt64,
    `exceptions` UInt64,
    `unanswered` UInt64,
    `late` UInt64,
    `transaction_buckets` Array(Int16),
    `transaction_counts` Array(UInt32)
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(minute), from_zone, to_zone)
ORDER BY (site, toStartOfHour(minute), from_zone, to_zone, client_ip, server_ip, server_port, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS findings
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `id` String,
    `first_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `last_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `kind` LowCardinality(String),
    `title` String,
    `severity` UInt8,
    `confidence` LowCardinality(String),
    `src_zone` LowCardinality(String),
    `dst_zone` LowCardinality(String),
    `src_ip` String,
    `dst_ip` String,
    `dst_port` UInt16,
    `service` LowCardinality(String),
    `conduit` LowCardinality(String),
    `techniques` Array(String),
    `count` UInt64,
    `search_text` String,
    `finding` String,
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, first_ts, id)
ORDER BY (site, first_ts, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS alerts
(
    `id` String,
    `first_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `last_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `kind` LowCardinality(String),
    `title` String,
    `severity` UInt8,
    `confidence` LowCardinality(String),
    `src_zone` LowCardinality(String),
    `dst_zone` LowCardinality(String),
    `src_ip` String,
    `dst_ip` String,
    `dst_port` UInt16,
    `service` LowCardinality(String),
    `conduit` LowCardinality(String),
    `techniques` Array(String),
    `count` UInt64,
    `search_text` String,
    `site` LowCardinality(String),
    `seq` UInt32,
    `state` LowCardinality(String),
    `assignee` String,
    `detected_at` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `decided_at` Nullable(DateTime64(9, 'UTC')),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
PRIMARY KEY (first_ts, id)
ORDER BY (first_ts, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)', index_granularity = 1024;

CREATE TABLE IF NOT EXISTS finding_events
(
    `id` String,
    `seq` UInt32,
    `at` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `actor` String,
    `action` LowCardinality(String),
    `from_state` LowCardinality(String),
    `to_state` LowCardinality(String),
    `assignee` String,
    `note` String,
    `request` String
)
ENGINE = MergeTree
PRIMARY KEY (id, seq)
ORDER BY (id, seq)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS replays
(
    `id` String,
    `step` UInt64,
    `attempt` String,
    `state` LowCardinality(String),
    `site` LowCardinality(String),
    `capture_name` String,
    `capture_sha256` String,
    `capture_bytes` UInt64,
    `policy_name` String,
    `policy_sha256` String,
    `version` LowCardinality(String),
    `started_at` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `ended_at` Nullable(DateTime64(9, 'UTC')),
    `first_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `last_ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `packets` UInt64,
    `malformed_packets` UInt64,
    `flows` UInt64,
    `transactions` UInt64,
    `findings` UInt64,
    `findings_sha256` String,
    `coverage` Nullable(Float64),
    `reason` String
)
ENGINE = ReplacingMergeTree(step)
PRIMARY KEY (id)
ORDER BY (id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS policies
(
    `sha256` String,
    `name` String,
    `text` String,
    `stored_at` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(stored_at)
PRIMARY KEY (sha256)
ORDER BY (sha256)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';
