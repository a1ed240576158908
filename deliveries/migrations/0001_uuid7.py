"""Keys in order of time by the database's own clock (PostgreSQL has uuidv7() only from 18 on)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION deliveries_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    -- 48 bits of milliseconds over a random UUIDv4, then version 4 (0100) becomes 7 (0111)
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
$$
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION deliveries_uuid7()")]
