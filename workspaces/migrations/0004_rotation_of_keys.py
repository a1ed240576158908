"""Which key a key replaces. The index of the column is built at once: a workspace has some tens of keys."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0003_networks_of_keys")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="successors",
                to="workspaces.apikey",
            ),
        ),
    ]
