"""Built beside the live table, without a lock that writers wait for. It may be repeated."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0003_dates_of_periodic_reviews")]
    operations = [
        # What a run that was cut off left of it, which may be invalid.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS cases_case_review_due", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(condition=models.Q(("next_review_at__isnull", False), ("review_due_at__isnull", True)), fields=["next_review_at"], name="cases_case_review_due"),
        ),
    ]
