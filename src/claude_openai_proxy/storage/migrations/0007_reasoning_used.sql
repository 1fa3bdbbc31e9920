ALTER TABLE reasoning ADD COLUMN used DOUBLE PRECISION NOT NULL DEFAULT 0;
UPDATE reasoning SET used = at;
CREATE INDEX reasoning_by_use ON reasoning (used);
