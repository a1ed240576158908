"""Jobs that send again what failed or is held."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import workspaces.identifiers
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0007_indexes_of_order_and_recovery"), ("workspaces", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Recovery",
            fields=[
                ("id", models.UUIDField(default=workspaces.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="workspaces.workspace")),
                ("subscription", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="recoveries", to="deliveries.subscription")),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("held_only", models.BooleanField(db_default=False, default=False)),
                ("rate", models.FloatField(validators=[django.core.validators.MinValueValidator(0.1), django.core.validators.MaxValueValidator(1000)])),
                ("state", models.CharField(choices=[("running", "Running"), ("done", "Done"), ("cancelled", "Cancelled")], default="running", max_length=9)),
                ("total", models.PositiveIntegerField(null=True)),
                ("recovered", models.PositiveIntegerField(default=0)),
                ("reached_at", models.DateTimeField(null=True)),
                ("reached_id", models.UUIDField(null=True)),
                ("tick_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "recoveries",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="recovery",
            constraint=models.UniqueConstraint(condition=models.Q(("state", "running")), fields=("subscription",), name="recovery_one_running"),
        ),
    ]
