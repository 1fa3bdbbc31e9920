-- The ledger has a partition for each month; what it had before is the first one, of all the time until the next month.
DROP INDEX ledger_by_time;
ALTER INDEX ledger_by_principal RENAME TO ledger_before_by_principal;
ALTER TABLE ledger DROP CONSTRAINT ledger_pkey;
ALTER TABLE ledger RENAME TO ledger_before;
ALTER TABLE ledger_before ADD PRIMARY KEY (at, id);
CREATE TABLE ledger (LIKE ledger_before) PARTITION BY RANGE (at);
ALTER TABLE ledger ADD PRIMARY KEY (at, id);
CREATE INDEX ledger_by_principal ON ledger (principal, at);
DO $$
DECLARE
  latest double precision := (SELECT max(at) FROM ledger_before);
BEGIN
  IF latest IS NULL THEN
    DROP TABLE ledger_before;
  ELSE
    EXECUTE format(
      'ALTER TABLE ledger ATTACH PARTITION ledger_before FOR VALUES FROM (MINVALUE) TO (%s)',
      extract(epoch FROM date_trunc('month', to_timestamp(latest) AT TIME ZONE 'UTC') + interval '1 month')
    );
  END IF;
END
$$;
