"""First Activation Date Time is written once: a trigger refuses any later change."""

from django.db import migrations

CREATE = """
CREATE FUNCTION subscriptions_first_activation_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.first_activated_at IS NOT NULL AND NEW.first_activated_at IS DISTINCT FROM OLD.first_activated_at THEN
    RAISE EXCEPTION 'the first activation is written once' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER subscription_first_activation_guard BEFORE UPDATE ON subscriptions_subscription
  FOR EACH ROW EXECUTE FUNCTION subscriptions_first_activation_guard();
CREATE TRIGGER addon_first_activation_guard BEFORE UPDATE ON subscriptions_subscriptionaddon
  FOR EACH ROW EXECUTE FUNCTION subscriptions_first_activation_guard();
"""
DROP = """
DROP TRIGGER addon_first_activation_guard ON subscriptions_subscriptionaddon;
DROP TRIGGER subscription_first_activation_guard ON subscriptions_subscription;
DROP FUNCTION subscriptions_first_activation_guard();
"""


class Migration(migrations.Migration):
    """Adds the triggers that keep the first activation."""

    dependencies = [("subscriptions", "0002_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
