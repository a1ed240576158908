"""When a case is reviewed next, and what was told of it. Nullable columns: no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="case",
            name="next_review_at",
            field=models.DateField(
                blank=True, help_text="The day of an approved case's next periodic review, in UTC.", null=True
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="review_due_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="review_confirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
