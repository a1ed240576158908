"""What expired undelivered, in numbers."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deliveries', '0013_partitions'),
        ('workspaces', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Expiry',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('state', models.CharField(choices=[('pending', 'Waiting for its next attempt'), ('failed', 'Finally failed'), ('held', 'Held'), ('blocked', 'Blocked'), ('unbuilt', 'Event never built'), ('unbuildable', 'Event could not be built')], max_length=16)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('number', models.PositiveBigIntegerField()),
                ('oldest', models.DateTimeField()),
                ('newest', models.DateTimeField()),
                ('expired_at', models.DateTimeField()),
                ('subscription', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, to='deliveries.subscription')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='workspaces.workspace')),
            ],
            options={
                'verbose_name_plural': 'expiries',
                'ordering': ['-day', '-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('subscription__isnull', False)), fields=('subscription', 'day', 'state', 'reason'), name='expiry_of_deliveries'), models.UniqueConstraint(condition=models.Q(('subscription__isnull', True)), fields=('workspace', 'day', 'state', 'reason'), name='expiry_of_events')],
            },
        ),
    ]
