-- Minutes tell where segments were lost, how long each side took, and what could not be measured.

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `exclusion` LowCardinality(String) AFTER `valid`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `lost_before_tap` UInt64 AFTER `lost_segments`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `lost_after_tap` UInt64 AFTER `lost_before_tap`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `lost_client_side` UInt64 AFTER `lost_after_tap`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `lost_server_side` UInt64 AFTER `lost_client_side`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `ack_client_buckets` Array(Int16) AFTER `rtt_counts`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `ack_client_counts` Array(UInt32) AFTER `ack_client_buckets`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `ack_server_buckets` Array(Int16) AFTER `ack_client_counts`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `ack_server_counts` Array(UInt32) AFTER `ack_server_buckets`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `client_half_min_ns` Nullable(UInt64) AFTER `ack_server_counts`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `server_half_min_ns` Nullable(UInt64) AFTER `client_half_min_ns`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `missed` UInt64 AFTER `late`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `not_measurable_encrypted` UInt64 AFTER `missed`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `not_measurable_unmatched` UInt64 AFTER `not_measurable_encrypted`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `not_measurable_one_sided` UInt64 AFTER `not_measurable_unmatched`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `not_measurable_clock` UInt64 AFTER `not_measurable_one_sided`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `one_sided` Bool AFTER `not_measurable_clock`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `server_time_buckets` Array(Int16) AFTER `transaction_counts`;

ALTER TABLE sla_minutes ADD COLUMN IF NOT EXISTS `server_time_counts` Array(UInt32) AFTER `server_time_buckets`;
