"""A wish for fewer licences keeps from how many it was; of older ones that is not known."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0018_suspend_reason"),
    ]

    operations = [
        migrations.AddField(
            model_name="cancellationrequest",
            name="was",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="of how many"),
        ),
        migrations.AddField(
            model_name="scheduledchange",
            name="was",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="quantity before"),
        ),
    ]
