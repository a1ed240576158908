"""What a lane remembers between two leases. Columns with constant defaults: no rewrite of the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0004_isolation_of_subscriptions")]
    operations = [
        migrations.AddField(
            model_name="lane",
            name="health",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="lane",
            name="resume_at",
            field=models.DateTimeField(null=True),
        ),
    ]
