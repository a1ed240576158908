"""Recording an event writes to no index that only people read: it enters theirs when it is built.

Built beside the live table, without a lock that writers wait for. It may be repeated: what a run that was cut off left
of an index, which may be invalid, goes first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0011_dead_letters")]
    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS event_case_waiting", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(condition=models.Q(("case_id__isnull", False), ("state", 0)), fields=["case_id", "sequence"], name="event_case_waiting"),
        ),
        RemoveIndexConcurrently(model_name="event", name="event_of_case"),  # IF EXISTS, in Django's words
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(condition=models.Q(("case_id__isnull", False), ("state__in", [1, 2])), fields=["case_id"], name="event_of_case"),
        ),
    ]
