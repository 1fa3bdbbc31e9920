CREATE TABLE login_limits (
  upstream TEXT NOT NULL,
  account TEXT NOT NULL,
  told DOUBLE PRECISION NOT NULL,
  limits TEXT NOT NULL,
  PRIMARY KEY (upstream, account)
);
