"""Indexes for the filters of the log.

Built beside the live table, without a lock that writers wait for. It may be repeated: what a run that was cut off left
of an index, which may be invalid, goes first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0016_shapes")]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_webhook", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('last_attempt_at__isnull', False)), fields=['subscription', '-created_at'], name='delivery_log_webhook'),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_event", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('last_attempt_at__isnull', False)), fields=['workspace', 'event_name', '-created_at'], name='delivery_log_event'),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_individual", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('individual_id__isnull', False), ('last_attempt_at__isnull', False)), fields=['individual_id', '-created_at'], name='delivery_log_individual'),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_company", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('company_id__isnull', False), ('last_attempt_at__isnull', False)), fields=['company_id', '-created_at'], name='delivery_log_company'),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_stuck", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', [2, 3])), fields=['workspace', '-created_at', '-id'], name='delivery_log_stuck'),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS delivery_log_refused", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(models.Q(('last_attempt_at__isnull', False), ('status_code__gte', 300)), models.Q(('last_attempt_at__isnull', False), ('status_code__isnull', True)), _connector='OR'), fields=['workspace', 'status_code', '-created_at', '-id'], name='delivery_log_refused'),
        ),
    ]
