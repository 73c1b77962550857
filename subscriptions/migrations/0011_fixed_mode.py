"""The purchase mode of a service changes with the kind of its account, and in no other way: a trigger holds that."""

from django.db import migrations

CREATE = """
CREATE FUNCTION subscriptions_fixed_mode_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted text;
BEGIN
  IF NEW.purchase_mode = OLD.purchase_mode THEN
    RETURN NEW;
  END IF;
  SELECT CASE kind WHEN 'reseller' THEN 'personal_use' WHEN 'end_customer' THEN 'end_customer'
                   WHEN 'affiliate' THEN 'affiliate_account' ELSE '' END
    INTO wanted FROM resellers_account WHERE id = NEW.account_id;
  IF NEW.purchase_mode IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION 'the purchase mode of a service is fixed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER subscription_fixed_mode_guard BEFORE UPDATE ON subscriptions_subscription
  FOR EACH ROW EXECUTE FUNCTION subscriptions_fixed_mode_guard();
CREATE TRIGGER asset_fixed_mode_guard BEFORE UPDATE ON subscriptions_asset
  FOR EACH ROW EXECUTE FUNCTION subscriptions_fixed_mode_guard();
"""
DROP = """
DROP TRIGGER asset_fixed_mode_guard ON subscriptions_asset;
DROP TRIGGER subscription_fixed_mode_guard ON subscriptions_subscription;
DROP FUNCTION subscriptions_fixed_mode_guard();
"""


class Migration(migrations.Migration):
    """Adds the triggers that keep the purchase mode."""

    dependencies = [("resellers", "0007_mail_licences"), ("subscriptions", "0010_stamps")]
    operations = [migrations.RunSQL(CREATE, DROP)]
