"""A cap, a rate, an order and a promise for each subscription."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0003_queue_storage")]
    operations = [
        migrations.AddField(
            model_name="subscription",
            name="max_in_flight",
            field=models.PositiveSmallIntegerField(blank=True, help_text="1 to 256.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(256)], verbose_name="requests at a time"),
        ),
        migrations.AddField(
            model_name="subscription",
            name="ordered",
            field=models.BooleanField(db_default=False, default=False, help_text="Events of one case arrive in their order: each waits until the one before it succeeded or was given up. Holds for events from now on."),
        ),
        migrations.AddField(
            model_name="subscription",
            name="promoted",
            field=models.BooleanField(db_default=False, default=False, help_text="Stays online whatever it answers, but for 410 Gone; while it fails it is only tried now and then."),
        ),
        migrations.AddField(
            model_name="subscription",
            name="rate",
            field=models.FloatField(blank=True, help_text="At most so many, evenly spaced; 0.01 to 10,000.", null=True, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(10000)], verbose_name="requests a second"),
        ),
    ]
