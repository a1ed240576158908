"""Built beside the live table, without a lock that writers wait for. It may be repeated: what a run that was cut off
left of the index, which may be invalid, goes first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("checks", "0003_last_day")]
    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS checks_check_expiry", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='check',
            index=models.Index(condition=models.Q(('expires_at__isnull', False), models.Q(('status__in', ('rejected', 'expired')), _negated=True)), fields=['expires_at', 'id'], name='checks_check_expiry'),
        ),
    ]
