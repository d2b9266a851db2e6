-- Every layer and protocol: new columns of flows, Modbus and coverage, and the tables of the other protocols.

ALTER TABLE flows ADD COLUMN IF NOT EXISTS `tunnel` LowCardinality(String) AFTER `vlan`;

ALTER TABLE flows ADD COLUMN IF NOT EXISTS `tunnel_id` Nullable(UInt32) AFTER `tunnel`;

ALTER TABLE flows ADD COLUMN IF NOT EXISTS `zero_windows_c2s` UInt32 AFTER `gap_bytes_s2c`;

ALTER TABLE flows ADD COLUMN IF NOT EXISTS `zero_windows_s2c` UInt32 AFTER `zero_windows_c2s`;

ALTER TABLE flows ADD COLUMN IF NOT EXISTS `dsacks_c2s` UInt32 AFTER `zero_windows_s2c`;

ALTER TABLE flows ADD COLUMN IF NOT EXISTS `dsacks_s2c` UInt32 AFTER `dsacks_c2s`;

ALTER TABLE modbus ADD COLUMN IF NOT EXISTS `framing` LowCardinality(String) AFTER `server_port`;

CREATE TABLE IF NOT EXISTS opcua
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
    `message_type` LowCardinality(String),
    `service` LowCardinality(String),
    `operation_class` LowCardinality(String),
    `outcome` LowCardinality(String),
    `request_type` Nullable(UInt32),
    `response_type` Nullable(UInt32),
    `channel_id` Nullable(UInt32),
    `request_id` Nullable(UInt32),
    `request_handle` Nullable(UInt32),
    `security_policy` String,
    `security_mode` LowCardinality(String),
    `session` String,
    `user_kind` LowCardinality(String),
    `user_name` String,
    `secret` LowCardinality(String),
    `application_uri` String,
    `client_certificate_subject` String,
    `client_certificate_thumbprint` String,
    `server_certificate_subject` String,
    `server_certificate_thumbprint` String,
    `endpoint_url` String,
    `subscription_id` Nullable(UInt32),
    `status` Nullable(UInt32),
    `status_name` String,
    `nodes` Array(String),
    `objects` Array(String),
    `attributes` Array(String),
    `values_written` Array(String),
    `values_read` Array(String),
    `results` Array(String),
    `operations` UInt32,
    `operations_failed` UInt32,
    `latency_ns` Nullable(UInt64),
    `request_chunks` UInt32,
    `response_chunks` UInt32,
    `request_bytes` UInt64,
    `response_bytes` UInt64,
    `detail` String,
    `encrypted` Bool,
    `reversed` Bool,
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

CREATE TABLE IF NOT EXISTS mqtt
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
    `pubrel_frame` Nullable(UInt64),
    `pubcomp_frame` Nullable(UInt64),
    `packet_type` LowCardinality(String),
    `direction` LowCardinality(String),
    `version` LowCardinality(String),
    `transport` LowCardinality(String),
    `client_id` String,
    `outcome` LowCardinality(String),
    `reason_code` Nullable(UInt8),
    `reason` LowCardinality(String),
    `latency_ns` Nullable(UInt64),
    `operation_class` LowCardinality(String),
    `topic` String,
    `topic_alias` Nullable(UInt16),
    `qos` Nullable(UInt8),
    `retain` Bool,
    `dup` Bool,
    `retries` UInt16,
    `packet_id` Nullable(UInt16),
    `payload_bytes` UInt32,
    `payload_kind` LowCardinality(String),
    `has_user_name` Bool,
    `user_name` String,
    `has_password` Bool,
    `clean_start` Bool,
    `session_present` Bool,
    `keep_alive_s` Nullable(UInt16),
    `session_expiry_s` Nullable(UInt32),
    `will_topic` String,
    `will_qos` Nullable(UInt8),
    `will_retain` Bool,
    `will_bytes` Nullable(UInt32),
    `filters` Array(String),
    `requested_qos` Array(UInt16),
    `granted` Array(UInt16),
    `message_expiry_s` Nullable(UInt32),
    `response_topic` String,
    `has_correlation` Bool,
    `content_type` String,
    `user_property_count` UInt16,
    `user_property_keys` Array(String),
    `properties` Array(String),
    `sparkplug_type` LowCardinality(String),
    `sparkplug_group` String,
    `sparkplug_node` String,
    `sparkplug_device` String,
    `sparkplug_seq` Nullable(UInt64),
    `sparkplug_bd_seq` Nullable(UInt64),
    `sparkplug_ts` Nullable(DateTime64(9, 'UTC')),
    `metric_count` UInt32,
    `metric_names` Array(String),
    `metric_types` Array(String),
    `metric_values` Array(String),
    `detail` String,
    `request_bytes` UInt32,
    `response_bytes` UInt32,
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

CREATE TABLE IF NOT EXISTS services
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `flow_id` UInt32,
    `client_ip` IPv6,
    `server_ip` IPv6,
    `client_port` UInt16,
    `server_port` UInt16,
    `frame` UInt64,
    `service` LowCardinality(String),
    `confidence` LowCardinality(String),
    `version` String,
    `client_software` String,
    `server_software` String,
    `host_name` String,
    `client_name` String,
    `server_name` String,
    `user` String,
    `login` LowCardinality(String),
    `refused_logins` UInt16,
    `secret_seen` Bool,
    `encrypted` Bool,
    `resumed` Bool,
    `alpn` Array(String),
    `key_exchange` String,
    `cipher` String,
    `certificate_subject` String,
    `certificate_issuer` String,
    `certificate_sha256` String,
    `certificate_not_after` Nullable(DateTime64(9, 'UTC')),
    `ja4` String,
    `hassh` String,
    `hassh_server` String,
    `detail` String,
    INDEX by_client client_ip TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_server server_ip TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(ts), server_ip, client_ip)
ORDER BY (site, toStartOfHour(ts), server_ip, client_ip, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS http
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
    `service` LowCardinality(String),
    `outcome` LowCardinality(String),
    `method` String,
    `host` String,
    `path` String,
    `version` String,
    `status` Nullable(UInt16),
    `latency_ns` Nullable(UInt64),
    `user_agent` String,
    `server` String,
    `content_type` String,
    `request_body_bytes` Nullable(UInt64),
    `response_body_bytes` Nullable(UInt64),
    `authentication` String,
    `secret_seen` Bool,
    `upgrade` String,
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

CREATE TABLE IF NOT EXISTS operations
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `flow_id` Nullable(UInt32),
    `client_ip` IPv6,
    `server_ip` IPv6,
    `client_port` UInt16,
    `server_port` UInt16,
    `client_mac` UInt64,
    `server_mac` UInt64,
    `request_frame` Nullable(UInt64),
    `response_frame` Nullable(UInt64),
    `service` LowCardinality(String),
    `operation` String,
    `operation_class` LowCardinality(String),
    `object` String,
    `quantity` Nullable(UInt32),
    `value` String,
    `detail` String,
    `client_station` String,
    `server_station` String,
    `outcome` LowCardinality(String),
    `error_code` Nullable(UInt32),
    `latency_ns` Nullable(UInt64),
    `messages` UInt32,
    `span_ns` UInt64,
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

CREATE TABLE IF NOT EXISTS dns
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
    `service` LowCardinality(String),
    `transaction_id` UInt16,
    `opcode` UInt8,
    `outcome` LowCardinality(String),
    `query` String,
    `query_type` String,
    `rcode` Nullable(UInt8),
    `authoritative` Bool,
    `truncated` Bool,
    `answer_count` UInt16,
    `answers` Array(String),
    `latency_ns` Nullable(UInt64),
    `request_bytes` UInt32,
    `response_bytes` UInt32,
    `confidence` LowCardinality(String),
    INDEX by_client client_ip TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_server server_ip TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(ts), server_ip, client_ip)
ORDER BY (site, toStartOfHour(ts), server_ip, client_ip, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS observations
(
    `site` LowCardinality(String),
    `replay` LowCardinality(String),
    `ts` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    `frame` UInt64,
    `flow_id` Nullable(UInt32),
    `mac` UInt64,
    `ip` IPv6,
    `kind` LowCardinality(String),
    `source` LowCardinality(String),
    `value` String
)
ENGINE = MergeTree
PARTITION BY replay
PRIMARY KEY (site, toStartOfHour(ts), ip, mac)
ORDER BY (site, toStartOfHour(ts), ip, mac, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

ALTER TABLE coverage ADD COLUMN IF NOT EXISTS `incomplete_packets` UInt64 AFTER `fragments`;

ALTER TABLE coverage ADD COLUMN IF NOT EXISTS `evicted_fragments` UInt64 AFTER `evicted_bytes`;

ALTER TABLE coverage ADD COLUMN IF NOT EXISTS `evicted_requests` UInt64 AFTER `evicted_fragments`;

ALTER TABLE coverage ADD COLUMN IF NOT EXISTS `evicted_messages` UInt64 AFTER `evicted_requests`;

ALTER TABLE coverage ADD COLUMN IF NOT EXISTS `evicted_observations` UInt64 AFTER `evicted_messages`;
