"""Storage of the tables that are updated all day: room for updates in place, and vacuum before they bloat."""

from django.db import migrations

TUNE = """
-- One row per subscription, updated several times a second when busy: half of each page stays free for new versions.
ALTER TABLE deliveries_lane SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE deliveries_casesequence SET (fillfactor = 70);
-- Each row is updated once or twice soon after it was inserted; the default (vacuum at 20 % dead) comes far too late
-- for tables of millions, and the partial indexes of what waits would fill up with what no longer does.
ALTER TABLE deliveries_event SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
ALTER TABLE deliveries_delivery SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
"""
UNDO = """
ALTER TABLE deliveries_lane RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay);
ALTER TABLE deliveries_casesequence RESET (fillfactor);
ALTER TABLE deliveries_event RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE deliveries_delivery RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0002_initial")]
    operations = [migrations.RunSQL(TUNE, UNDO)]
