"""The log of accepted terms can only grow."""

from django.db import migrations

CREATE = """
CREATE FUNCTION orders_terms_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log of accepted terms can only grow' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER terms_guard BEFORE UPDATE OR DELETE ON orders_termsacceptance
  FOR EACH ROW EXECUTE FUNCTION orders_terms_guard();
"""
DROP = """
DROP TRIGGER terms_guard ON orders_termsacceptance;
DROP FUNCTION orders_terms_guard();
"""


class Migration(migrations.Migration):
    """Adds the trigger that makes the log append-only."""

    dependencies = [("orders", "0003_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
