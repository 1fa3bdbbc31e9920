CREATE TABLE stored_objects (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  principal TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  touched DOUBLE PRECISION NOT NULL,
  expires DOUBLE PRECISION,
  model TEXT NOT NULL,
  status TEXT NOT NULL,
  previous TEXT NOT NULL,
  conversation TEXT NOT NULL,
  place INTEGER NOT NULL,
  runner TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  seal TEXT NOT NULL,
  sealed BLOB NOT NULL
);
CREATE INDEX stored_objects_of ON stored_objects (kind, principal, created, id);
CREATE INDEX stored_objects_by_age ON stored_objects (touched, bytes);
CREATE INDEX stored_objects_expiring ON stored_objects (expires);
CREATE TABLE stored_items (
  owner TEXT NOT NULL,
  place INTEGER NOT NULL,
  part TEXT NOT NULL,
  id TEXT NOT NULL,
  principal TEXT NOT NULL,
  turn TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (owner, place)
);
CREATE INDEX stored_items_by_id ON stored_items (principal, id);
CREATE TABLE stored_events (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (owner, number)
);
CREATE TABLE runners (
  id TEXT PRIMARY KEY,
  until DOUBLE PRECISION NOT NULL
);
CREATE TABLE conversation_locks (
  conversation TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  runner TEXT NOT NULL
);
