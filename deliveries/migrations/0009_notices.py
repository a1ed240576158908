"""E-mails to be sent."""

import django.db.models.deletion
import django.db.models.functions.datetime
import workspaces.identifiers
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0008_recoveries")]
    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=workspaces.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ("subscription", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="deliveries.subscription")),
                ("reason", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("try_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(condition=models.Q(("sent_at__isnull", True)), fields=["try_at"], name="notice_unsent"),
        ),
    ]
