CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE client_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  models TEXT NOT NULL,
  operator INTEGER NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  expires DOUBLE PRECISION,
  revoked DOUBLE PRECISION
);
CREATE TABLE client_key_secrets (
  prefix TEXT PRIMARY KEY,
  key_id TEXT NOT NULL REFERENCES client_keys (id),
  digest BLOB NOT NULL,
  expires DOUBLE PRECISION
);
