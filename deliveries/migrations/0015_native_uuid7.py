"""PostgreSQL 18 makes such keys itself, in less than half the time; each delivery and each attempt has one."""

from django.db import migrations

NATIVE = """
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        CREATE OR REPLACE FUNCTION deliveries_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
        AS 'SELECT uuidv7()';
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0014_expiries")]
    # Undone, it stays as it is: both make keys of the same kind.
    operations = [migrations.RunSQL(NATIVE, migrations.RunSQL.noop)]
