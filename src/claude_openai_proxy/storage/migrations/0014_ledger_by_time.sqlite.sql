-- A row is known by its time and its id, as in PostgreSQL: what comes goes to the end of the index, not anywhere in it.
DROP INDEX ledger_by_time;
DROP INDEX ledger_by_principal;
ALTER TABLE ledger RENAME TO ledger_before;
CREATE TABLE ledger (
  id TEXT NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  hour BIGINT NOT NULL,
  principal TEXT NOT NULL,
  key_name TEXT NOT NULL,
  client TEXT NOT NULL,
  route TEXT NOT NULL,
  dialect TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  model_used TEXT NOT NULL,
  upstream TEXT NOT NULL,
  billed TEXT NOT NULL,
  status INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  finish_reason TEXT NOT NULL,
  error TEXT NOT NULL,
  streamed INTEGER NOT NULL,
  choices BIGINT NOT NULL,
  speed TEXT NOT NULL,
  input_tokens BIGINT NOT NULL,
  cached_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  cache_write_1h_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  thinking_tokens BIGINT NOT NULL,
  web_searches BIGINT NOT NULL,
  list_price DOUBLE PRECISION NOT NULL,
  has_list_price INTEGER NOT NULL,
  charged DOUBLE PRECISION,
  first_token_ms BIGINT,
  total_ms BIGINT NOT NULL,
  repairs TEXT NOT NULL,
  upstream_request_id TEXT NOT NULL,
  PRIMARY KEY (at, id)
);
INSERT INTO ledger SELECT * FROM ledger_before;
DROP TABLE ledger_before;
CREATE INDEX ledger_by_principal ON ledger (principal, at);
