"""Every campaign, by the number it has in the table of faults."""

from scripts.campaigns.crowding import delivered_anyhow, eight_writers, jumping_clock, slow_among_fast
from scripts.campaigns.cutting import cut_connection, full_disk, full_server
from scripts.campaigns.everything import everything
from scripts.campaigns.exporting import forged_exports
from scripts.campaigns.flipping import flipped
from scripts.campaigns.forbidding import forbidden
from scripts.campaigns.fuzzing import almost_right
from scripts.campaigns.golden import golden_logs
from scripts.campaigns.killing import killed_import, killed_server, killed_writer, restarted_server
from scripts.campaigns.living import lived
from scripts.campaigns.projecting import killed_projector
from scripts.campaigns.run import BOTH, Campaign
from scripts.campaigns.sealing import killed_sealer
from scripts.campaigns.simulating import simulated
from scripts.campaigns.standing_by import standby_takes_over

CAMPAIGNS = (
    Campaign(1, "a writer is killed while it appends", "P1 P3", 50, 2000, ("sqlite",), killed_writer),
    Campaign(2, "the server is killed under load", "P1 P3", 10, 500, ("postgresql",), killed_server),
    Campaign(3, "a rebuild or a follower is killed", "P4 P5", 10, 250, BOTH, killed_projector),
    Campaign(4, "an import is killed", "P3 P8", 10, 250, BOTH, killed_import),
    Campaign(5, "sealers are killed, or two seal at once", "P6 P7", 10, 400, BOTH, killed_sealer),
    Campaign(6, "the disk is full", "P1 P8", 20, 500, ("sqlite",), full_disk),
    Campaign(6, "a server's files may not grow", "P1 P8", 1, 50, ("postgresql",), full_server),
    Campaign(7, "the connection is cut before or after a commit", "P1 P3", 12, 200, ("postgresql",), cut_connection),
    Campaign(8, "the server is restarted under load", "P1 P3", 3, 50, ("postgresql",), restarted_server),
    Campaign(9, "eight writers on one account", "P2 P3", 1, 200, BOTH, eight_writers),
    Campaign(10, "duplicate and shuffled delivery", "P3 P5", 50, 5000, BOTH, delivered_anyhow),
    Campaign(11, "a slow transaction among fast ones", "P4", 10, 500, BOTH, slow_among_fast),
    Campaign(12, "a clock that jumps", "P2", 100, 5000, BOTH, jumping_clock),
    Campaign(13, "a bit of a stored row is flipped", "P6", 1, 500, BOTH, flipped),
    Campaign(14, "exports are forged or damaged", "P7", 18, 1000, ("sqlite",), forged_exports),
    Campaign(15, "any command after any other", "P2 P3", 28, 4000, ("sqlite",), lived),
    Campaign(16, "every reader is fed what is almost right", "P8", 30, 5600, ("sqlite",), almost_right),
    Campaign(17, "what is forbidden is tried", "P6", 3, 20, BOTH, forbidden),
    Campaign(18, "the log of every release is replayed", "P5", 1, 1, BOTH, golden_logs),
    Campaign(19, "everything at once", "P1 P2 P3 P4 P5 P6", 2, 100, BOTH, everything),
    Campaign(20, "a utility whose store keeps failing", "P2 P3", 6, 2000, BOTH, simulated),
    Campaign(21, "a standby takes over under load", "P1 P3", 3, 50, ("postgresql",), standby_takes_over),
)
