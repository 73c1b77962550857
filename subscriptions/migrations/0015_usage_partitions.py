"""Usage records lie in one partition for each month (``docs/architecture.md``); a final month can only be read.

The table is made anew like the one Django made. Its partitions are made by ``subscriptions.services.usage_months``: here
those of the present months, later ahead of time by the clock, and by a load that finds none.
"""

from django.db import migrations

SPLIT = """
ALTER TABLE subscriptions_usagerecord RENAME TO subscriptions_usagerecord_whole;
CREATE TABLE subscriptions_usagerecord
  (LIKE subscriptions_usagerecord_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (month);
DROP TABLE subscriptions_usagerecord_whole;
ALTER TABLE subscriptions_usagerecord ADD PRIMARY KEY (month, public_id);
ALTER TABLE subscriptions_usagerecord ADD CONSTRAINT usage_record_of_period
  FOREIGN KEY (period_id) REFERENCES subscriptions_usageperiod (id);
CREATE INDEX usage_record_period ON subscriptions_usagerecord (period_id, view);
"""
JOIN = """
CREATE TABLE subscriptions_usagerecord_whole
  (LIKE subscriptions_usagerecord INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO subscriptions_usagerecord_whole SELECT * FROM subscriptions_usagerecord;
DROP TABLE subscriptions_usagerecord;
ALTER TABLE subscriptions_usagerecord_whole RENAME TO subscriptions_usagerecord;
ALTER TABLE subscriptions_usagerecord ADD PRIMARY KEY (public_id);
ALTER TABLE subscriptions_usagerecord ADD CONSTRAINT usage_record_of_period
  FOREIGN KEY (period_id) REFERENCES subscriptions_usageperiod (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX usage_record_period ON subscriptions_usagerecord (period_id, view);
"""
GUARD = """
CREATE FUNCTION subscriptions_usage_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM subscriptions_usageperiod period
             WHERE period.is_final AND period.id IN (SELECT period_id FROM touched)) THEN
    RAISE EXCEPTION 'usage of a final month never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER usage_guard_insert AFTER INSERT ON subscriptions_usagerecord
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION subscriptions_usage_guard();
CREATE TRIGGER usage_guard_update AFTER UPDATE ON subscriptions_usagerecord
  REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION subscriptions_usage_guard();
CREATE TRIGGER usage_guard_delete AFTER DELETE ON subscriptions_usagerecord
  REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION subscriptions_usage_guard();
"""
MONTHS = """
DO $$
DECLARE first date;
BEGIN
  FOR ahead IN -1..3 LOOP
    first := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
    EXECUTE format('CREATE TABLE %I PARTITION OF subscriptions_usagerecord FOR VALUES FROM (%L) TO (%L)',
                   'subscriptions_usagerecord_' || to_char(first, 'YYYY_MM'), first, first + interval '1 month');
  END LOOP;
END $$;
"""
UNGUARD = """
DROP TRIGGER usage_guard_insert ON subscriptions_usagerecord;
DROP TRIGGER usage_guard_update ON subscriptions_usagerecord;
DROP TRIGGER usage_guard_delete ON subscriptions_usagerecord;
DROP FUNCTION subscriptions_usage_guard();
"""


class Migration(migrations.Migration):
    """Cuts the records into months and keeps final ones as they are."""

    dependencies = [("subscriptions", "0014_usage_records")]
    operations = [
        migrations.RunSQL(SPLIT, JOIN),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(MONTHS, migrations.RunSQL.noop),
    ]
