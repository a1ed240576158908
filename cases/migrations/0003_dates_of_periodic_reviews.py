"""Approved cases get the date that their latest review gave them: a thousand cases a transaction, and repeatable.

No event tells of it: the date was shown before, with the review.
"""

from django.db import migrations

BATCH = 1000
NEXT = "SELECT id FROM cases_case WHERE id > %s ORDER BY id LIMIT %s"
FILL = """
UPDATE cases_case c SET next_review_at = latest.next_review_at
FROM (
    SELECT DISTINCT ON (case_id) case_id, next_review_at FROM cases_casereview
    WHERE case_id = ANY(%s) ORDER BY case_id, created_at DESC
) latest
WHERE c.id = latest.case_id AND c.status = 'approved'
  AND c.next_review_at IS NULL AND latest.next_review_at IS NOT NULL
"""


def fill(apps, schema_editor):
    last = "00000000-0000-0000-0000-000000000000"
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(NEXT, [last, BATCH])
            keys = [key for (key,) in cursor.fetchall()]
            if not keys:
                return
            cursor.execute(FILL, [keys])
            last = keys[-1]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0002_periodic_reviews")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
