"""Notes about cases, and comments on them."""

import django.db.models.deletion
import django.utils.timezone
import workspaces.identifiers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0004_index_of_due_reviews'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.UUIDField(default=workspaces.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('content', models.TextField(help_text='HTML.')),
                ('author_type', models.CharField(choices=[('user', 'User'), ('api', 'Api')], default='user', editable=False, max_length=8)),
                ('author', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='cases.case')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='NoteComment',
            fields=[
                ('id', models.UUIDField(default=workspaces.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('content', models.TextField(help_text='HTML.')),
                ('author_type', models.CharField(choices=[('user', 'User'), ('api', 'Api')], default='user', editable=False, max_length=8)),
                ('author', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='note_comments', to='cases.case')),
                ('note', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='cases.note')),
            ],
            options={
                'verbose_name': 'comment',
                'ordering': ['created_at', 'id'],
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
    ]
