-- OPC UA tells what its messages came in, as MQTT does. Rows from before say nothing of it: theirs stays empty.

ALTER TABLE opcua ADD COLUMN IF NOT EXISTS `transport` LowCardinality(String) AFTER `server_port`;
