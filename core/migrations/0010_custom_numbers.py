"""Numbers of list entries and groups of custom fields that stay when their names and places change."""

from django.db import migrations, models

SEQUENCES = ("core_custom_option", "core_custom_group")
NUMBER_OPTIONS = """
UPDATE core_customfield AS field SET option_numbers = found.numbers
FROM (
    SELECT listed.id, jsonb_object_agg(listed.option, listed.number) AS numbers
    FROM (
        SELECT ordered.id, ordered.option, nextval('core_custom_option') AS number
        FROM (
            SELECT row.id, options.option
            FROM core_customfield AS row, unnest(row.options) WITH ORDINALITY AS options (option, place)
            ORDER BY row.id, options.place
        ) AS ordered
    ) AS listed
    GROUP BY listed.id
) AS found
WHERE found.id = field.id
"""
NUMBER_GROUPS = """
UPDATE core_customfield AS field SET group_number = numbered.number
FROM (
    SELECT named.organization_id, named.name, nextval('core_custom_group') AS number
    FROM (
        SELECT DISTINCT organization_id, "group" AS name FROM core_customfield WHERE "group" <> '' ORDER BY 1, 2
    ) AS named
) AS numbered
WHERE numbered.organization_id = field.organization_id AND numbered.name = field."group"
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0009_search_boxes")]

    operations = [
        *(
            migrations.RunSQL(f"CREATE SEQUENCE {name} AS integer", f"DROP SEQUENCE {name}")
            for name in SEQUENCES
        ),
        migrations.AddField("customfield", "option_numbers", models.JSONField(default=dict, editable=False)),
        migrations.AddField("customfield", "group_number", models.PositiveIntegerField(null=True, editable=False)),
        migrations.RunSQL(NUMBER_OPTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBER_GROUPS, migrations.RunSQL.noop),
    ]
