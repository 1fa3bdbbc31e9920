ALTER TABLE files ADD COLUMN state TEXT NOT NULL DEFAULT 'here';
ALTER TABLE files ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  input_file TEXT NOT NULL,
  status TEXT NOT NULL,
  cancel_asked DOUBLE PRECISION,
  ended DOUBLE PRECISION,
  holder TEXT NOT NULL,
  held_until DOUBLE PRECISION NOT NULL,
  sealed BLOB NOT NULL
);
CREATE INDEX batches_of ON batches (principal, created, id);
CREATE INDEX batches_unfinished ON batches (ended);
CREATE TABLE batch_lines (
  batch_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  start BIGINT NOT NULL,
  length BIGINT NOT NULL,
  state TEXT NOT NULL,
  part INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  input_tokens BIGINT NOT NULL,
  cached_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  thinking_tokens BIGINT NOT NULL,
  dollars DOUBLE PRECISION NOT NULL,
  sealed BLOB,
  PRIMARY KEY (batch_id, number)
);
CREATE INDEX batch_lines_in ON batch_lines (batch_id, state, number);
CREATE TABLE batch_replies (
  batch_id TEXT NOT NULL,
  line INTEGER NOT NULL,
  number INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (batch_id, line, number)
);
CREATE TABLE batch_parts (
  batch_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  upstream_id TEXT NOT NULL,
  requests BIGINT NOT NULL,
  submitted DOUBLE PRECISION NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (batch_id, number)
);
