"""What a key may do. Keys that are there may go on doing everything, also while older code issues some."""

import django.contrib.postgres.fields
from django.db import migrations, models

import workspaces.keys


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("read", "Read cases, people, checks and all else that is no webhook"),
                        ("write", "Create, change and delete what read shows"),
                        ("webhooks", "Read and write webhooks, their secrets and their logs"),
                    ],
                    max_length=8,
                ),
                db_default=["read", "write", "webhooks"],
                default=workspaces.keys.every_scope,
                size=None,
            ),
        ),
    ]
