-- Whoever changes client keys, by whatever program: who listens is told when that is committed.
CREATE FUNCTION tell_of_client_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('claude_openai_proxy_client_keys', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER client_keys_changed
  AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON client_keys
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_client_keys();
CREATE TRIGGER client_key_secrets_changed
  AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON client_key_secrets
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_client_keys();
CREATE TRIGGER client_keys_required_changed
  AFTER INSERT OR UPDATE ON facts
  FOR EACH ROW WHEN (NEW.name = 'client_keys_required') EXECUTE FUNCTION tell_of_client_keys();
