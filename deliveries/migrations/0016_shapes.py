"""How much a subscription is told. Constant defaults: no rewrite, and the release before goes on writing rows."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0015_native_uuid7")]
    operations = [
        migrations.AddField(
            model_name="subscription",
            name="payload",
            field=models.CharField(choices=[("full", "Full"), ("thin", "Thin: ids, statuses and links")], db_default="full", default="full", help_text="A thin one holds no personal data; the rest is read through the API. Holds for events from now on.", max_length=4),
        ),
        migrations.AddField(
            model_name="subscription",
            name="without",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, db_default=[], default=list, help_text="Paths such as individual.birth_date, or *.email for all objects, one a line. What is left out is not stored for these deliveries, either.", size=None, verbose_name="fields left out"),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(condition=models.Q(("payload__in", ["full", "thin"])), name="subscription_payload_is_known"),
        ),
    ]
