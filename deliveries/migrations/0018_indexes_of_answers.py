"""An index for every status of an answer but the commonest, in place of one for errors only.

Built beside the live table, without a lock that writers wait for. It may be repeated: what a run that was cut off left
of an index, which may be invalid, goes first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0017_indexes_of_logs")]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_answer", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(models.Q(('status_code', 200), _negated=True), ('last_attempt_at__isnull', False)), fields=['workspace', 'status_code', '-created_at'], name='delivery_log_answer'),
        ),
        RemoveIndexConcurrently(model_name='delivery', name='delivery_log_refused'),
    ]
