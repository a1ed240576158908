"""Which documents a workspace collects."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import workspaces.identifiers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('checks', '0001_initial'),
        ('workspaces', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DocumentType',
            fields=[
                ('id', models.UUIDField(default=workspaces.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='document_types', to='workspaces.workspace')),
                ('key', models.CharField(max_length=200, validators=[django.core.validators.RegexValidator('\\A[a-z][a-z_0-9]*\\Z', 'Use small letters, digits and _, beginning with a letter.')])),
                ('label', models.CharField(max_length=255)),
                ('target_entities', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('company', 'Company'), ('individual', 'Individual')], max_length=16), help_text='Whom such a document is of.', size=None)),
                ('is_internal', models.BooleanField(default=False, help_text='Not shown to the contacts of a case.')),
                ('archived_at', models.DateTimeField(blank=True, help_text='No check is started for it any more.', null=True)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('workspace', 'key'), name='checks_document_type_key_is_unique', violation_error_message='Another document type of this workspace has this key.')],
            },
        ),
    ]
