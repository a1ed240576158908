"""Who has been told already, and what went wrong."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0009_notices")]
    operations = [
        migrations.AddField(
            model_name="notice",
            name="told",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), db_default=[], default=list, size=None),
        ),
        migrations.AddField(
            model_name="notice", name="error", field=models.CharField(blank=True, db_default="", max_length=64)
        ),
        migrations.AlterField(
            model_name="notice",
            name="try_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True),
        ),
    ]
