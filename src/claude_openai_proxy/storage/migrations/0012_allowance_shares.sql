CREATE TABLE allowance_turns (
  name TEXT PRIMARY KEY,
  turn BIGINT NOT NULL
);
CREATE TABLE allowance_shares (
  principal TEXT NOT NULL,
  kind TEXT NOT NULL,
  day TEXT NOT NULL,
  process TEXT NOT NULL,
  share DOUBLE PRECISION NOT NULL,
  used DOUBLE PRECISION NOT NULL,
  good_until DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (principal, kind, day, process)
);
CREATE INDEX allowance_shares_by_age ON allowance_shares (good_until);
