"""Recording an event writes to no index that only people read: it enters theirs when it is built.

Built beside the live table, without a lock that writers wait for.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0011_dead_letters")]
    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(condition=models.Q(("case_id__isnull", False), ("state", 0)), fields=["case_id", "sequence"], name="event_case_waiting"),
        ),
        RemoveIndexConcurrently(model_name="event", name="event_of_case"),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(condition=models.Q(("case_id__isnull", False), ("state__in", [1, 2])), fields=["case_id"], name="event_of_case"),
        ),
    ]
