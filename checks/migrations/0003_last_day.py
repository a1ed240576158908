"""The last day on which a check is valid. Checks from before had none."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('checks', '0002_document_types')]

    operations = [
        migrations.AddField(
            model_name='check',
            name='expires_at',
            field=models.DateField(blank=True, help_text='The last day on which the check is valid; the day after, it expires.', null=True),
        ),
    ]
