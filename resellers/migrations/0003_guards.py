"""Rules between rows that a check constraint cannot see: who may be a Bill To."""

from django.db import migrations

CREATE = """
CREATE FUNCTION resellers_account_bill_to_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE payer record;
BEGIN
  IF NEW.bill_to_id IS NOT NULL THEN
    SELECT kind, organization_id INTO payer FROM resellers_account WHERE id = NEW.bill_to_id FOR SHARE;
    IF NEW.bill_to_id = NEW.id OR payer.kind IS DISTINCT FROM 'reseller'
       OR payer.organization_id IS DISTINCT FROM NEW.organization_id THEN
      RAISE EXCEPTION 'a Bill To must be a reseller of the same organization'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'account_bill_to_is_reseller';
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.kind = 'reseller' AND NEW.kind <> 'reseller'
     AND EXISTS (SELECT 1 FROM resellers_account WHERE bill_to_id = NEW.id) THEN
    RAISE EXCEPTION 'an account that others are billed to must stay a reseller'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'account_bill_to_is_reseller';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER account_bill_to_guard BEFORE INSERT OR UPDATE ON resellers_account
  FOR EACH ROW EXECUTE FUNCTION resellers_account_bill_to_guard();
"""
DROP = """
DROP TRIGGER account_bill_to_guard ON resellers_account;
DROP FUNCTION resellers_account_bill_to_guard();
"""


class Migration(migrations.Migration):
    """Adds the trigger that holds the Bill To rules."""

    dependencies = [("resellers", "0002_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
