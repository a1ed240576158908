"""A list of its own in the admin; the database learns nothing new."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0010_progress_of_notices")]
    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={"proxy": True, "default_permissions": (), "indexes": [], "constraints": []},
            bases=("deliveries.delivery",),
        ),
    ]
