"""Every campaign, by the number it has in the table of faults."""

from scripts.campaigns.crowding import delivered_anyhow, eight_writers, jumping_clock, slow_among_fast
from scripts.campaigns.cutting import cut_connection, full_disk
from scripts.campaigns.fuzzing import almost_right
from scripts.campaigns.killing import killed_import, killed_server, killed_writer, restarted_server
from scripts.campaigns.projecting import killed_projector
from scripts.campaigns.run import BOTH, Campaign
from scripts.campaigns.standing_by import standby_takes_over

CAMPAIGNS = (
    Campaign(1, "a writer is killed while it appends", "P1 P3", 50, 2000, ("sqlite",), killed_writer),
    Campaign(2, "the server is killed under load", "P1 P3", 10, 500, ("postgresql",), killed_server),
    Campaign(3, "a rebuild or a follower is killed", "P4 P5", 10, 250, BOTH, killed_projector),
    Campaign(4, "an import is killed", "P3 P8", 10, 250, BOTH, killed_import),
    Campaign(6, "the disk is full", "P1 P8", 20, 500, ("sqlite",), full_disk),
    Campaign(7, "the connection is cut before or after a commit", "P1 P3", 10, 200, ("postgresql",), cut_connection),
    Campaign(8, "the server is restarted under load", "P1 P3", 3, 50, ("postgresql",), restarted_server),
    Campaign(9, "eight writers on one account", "P2 P3", 1, 32, BOTH, eight_writers),
    Campaign(10, "duplicate and shuffled delivery", "P3 P5", 50, 5000, BOTH, delivered_anyhow),
    Campaign(11, "a slow transaction among fast ones", "P4", 10, 500, BOTH, slow_among_fast),
    Campaign(12, "a clock that jumps", "P2", 100, 5000, BOTH, jumping_clock),
    Campaign(16, "every reader is fed what is almost right", "P8", 100, 3000, ("sqlite",), almost_right),
    Campaign(21, "a standby takes over under load", "P1 P3", 3, 50, ("postgresql",), standby_takes_over),
)
