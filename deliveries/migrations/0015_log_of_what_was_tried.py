"""The log's index holds a delivery from its first attempt on: one write less for each that is built.

Built beside the live table, without a lock that writers wait for.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0014_expiries")]
    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(condition=models.Q(("last_attempt_at__isnull", False)), fields=["workspace", "-created_at", "-id"], name="delivery_logged"),
        ),
        RemoveIndexConcurrently(model_name="delivery", name="delivery_log"),
    ]
