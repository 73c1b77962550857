"""The audit log can only grow: a trigger refuses deletion and every change but filling the hash chain once."""

from django.db import migrations

CREATE = """
CREATE FUNCTION core_auditentry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.entry_hash = ''
     AND to_jsonb(NEW) - ARRAY['sequence', 'previous_hash', 'entry_hash', 'updated_at']
       = to_jsonb(OLD) - ARRAY['sequence', 'previous_hash', 'entry_hash', 'updated_at'] THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the audit log can only grow' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER auditentry_guard BEFORE UPDATE OR DELETE ON core_auditentry
  FOR EACH ROW EXECUTE FUNCTION core_auditentry_guard();
"""
DROP = """
DROP TRIGGER auditentry_guard ON core_auditentry;
DROP FUNCTION core_auditentry_guard();
"""


class Migration(migrations.Migration):
    """Adds the trigger that makes the audit log append-only."""

    dependencies = [("core", "0003_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
