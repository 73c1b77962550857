"""The extension that finds a part of a name by an index; the owner of a database may install it."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0007_custom_fields")]
    operations = [TrigramExtension()]
