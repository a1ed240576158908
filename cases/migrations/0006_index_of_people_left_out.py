"""Built beside the live table, without a lock that writers wait for. It may be repeated."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0005_notes")]
    operations = [
        # What a run that was cut off left of it, which may be invalid.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS cases_individual_left_out", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="individual",
            index=models.Index(condition=models.Q(("is_relevant", False)), fields=["id"], name="cases_individual_left_out"),
        ),
    ]
