"""The purchase mode of an order is fixed: a trigger refuses any later change."""

from django.db import migrations

CREATE = """
CREATE FUNCTION orders_fixed_mode_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.purchase_mode <> OLD.purchase_mode THEN
    RAISE EXCEPTION 'the purchase mode of an order is fixed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_fixed_mode_guard BEFORE UPDATE ON orders_order
  FOR EACH ROW EXECUTE FUNCTION orders_fixed_mode_guard();
"""
DROP = """
DROP TRIGGER order_fixed_mode_guard ON orders_order;
DROP FUNCTION orders_fixed_mode_guard();
"""


class Migration(migrations.Migration):
    """Adds the trigger that keeps the purchase mode."""

    dependencies = [("orders", "0008_assets")]
    operations = [migrations.RunSQL(CREATE, DROP)]
