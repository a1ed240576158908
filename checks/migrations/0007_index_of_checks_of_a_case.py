"""An index of checks by case that also knows whom they are about takes the place of the foreign key's own.

Built, and the old one dropped, beside the live table, without a lock that writers wait for. It may be repeated.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

FOREIGN_KEYS = "checks_check_case_id_2175c932"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0006_index_of_people_left_out"), ("checks", "0006_uploads")]
    operations = [
        # What a run that was cut off left of it, which may be invalid.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS checks_check_case", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="check",
            index=models.Index(fields=["case"], include=["individual"], name="checks_check_case"),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {FOREIGN_KEYS}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {FOREIGN_KEYS} ON checks_check (case_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="check",
                    name="case",
                    field=models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checks",
                        to="cases.case",
                    ),
                )
            ],
        ),
    ]
