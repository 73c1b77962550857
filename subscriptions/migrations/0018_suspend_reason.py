"""Who asked for a suspension stands with the service; before, whoever asked here counted as staff."""

from django.db import migrations, models

FILL = """
UPDATE subscriptions_subscription AS service SET suspend_reason = 'staff'
WHERE (status = 'suspended' OR (status = 'pending_cancel' AND resumes_as = 'suspended')) AND EXISTS (
    SELECT 1 FROM subscriptions_operation
    WHERE subscription_id = service.id AND purpose = 'suspend' AND state = 'done'
)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0017_search_boxes"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="suspend_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("non_payment", "Not paid"),
                    ("staff", "By the distributor"),
                    ("customer", "By the reseller"),
                ],
                max_length=20,
                verbose_name="suspended",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
