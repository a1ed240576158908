"""Built beside the live tables, without a lock that writers wait for."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0006_ordered_deliveries")]
    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state__in", [2, 3])), fields=["subscription", "created_at", "id"], name="delivery_recoverable"),
        ),
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(condition=models.Q(("ordered", True), ("state__in", [0, 3, 4])), fields=["subscription", "case_id", "sequence"], name="delivery_in_order"),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(condition=models.Q(("case_id__isnull", False)), fields=["case_id", "state", "sequence"], name="event_of_case"),
        ),
        RemoveIndexConcurrently(model_name="event", name="event_case"),
    ]
