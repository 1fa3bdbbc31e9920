CREATE TABLE reasoning (
  id TEXT PRIMARY KEY,
  key_calls TEXT,
  key_said TEXT NOT NULL,
  sealed BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  at DOUBLE PRECISION NOT NULL
);
CREATE INDEX reasoning_by_calls ON reasoning (key_calls);
CREATE INDEX reasoning_by_said ON reasoning (key_said);
CREATE INDEX reasoning_by_age ON reasoning (at);
