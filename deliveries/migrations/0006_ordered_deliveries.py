"""Deliveries that wait for earlier ones of their case. A constant default: no rewrite of the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0005_health_of_lanes")]
    operations = [
        migrations.AddField(
            model_name="delivery",
            name="ordered",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.SmallIntegerField(choices=[(0, "Pending"), (1, "Succeeded"), (2, "Failed"), (3, "Held"), (4, "Blocked")], default=0),
        ),
    ]
