-- By which files a replay was judged, beside its capture and its policy: their roles, names and hashes, in step.

ALTER TABLE replays ADD COLUMN IF NOT EXISTS `input_roles` Array(String);

ALTER TABLE replays ADD COLUMN IF NOT EXISTS `input_names` Array(String);

ALTER TABLE replays ADD COLUMN IF NOT EXISTS `input_sha256s` Array(String);
