CREATE TABLE files (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  purpose TEXT NOT NULL,
  size BIGINT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  expires DOUBLE PRECISION,
  sealed_name BLOB NOT NULL
);
CREATE INDEX files_of ON files (principal, created, id);
CREATE INDEX files_expiring ON files (expires);
CREATE TABLE file_pieces (
  file_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (file_id, number)
);
