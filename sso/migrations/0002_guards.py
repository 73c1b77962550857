"""The log of consent can only grow."""

from django.db import migrations

CREATE = """
CREATE FUNCTION sso_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log of consent can only grow' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consent_guard BEFORE UPDATE OR DELETE ON sso_consententry
  FOR EACH ROW EXECUTE FUNCTION sso_consent_guard();
"""
DROP = """
DROP TRIGGER consent_guard ON sso_consententry;
DROP FUNCTION sso_consent_guard();
"""


class Migration(migrations.Migration):
    """Adds the trigger that makes the log append-only."""

    dependencies = [("sso", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
