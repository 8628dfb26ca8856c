//! How many tasks of a lane may wait in the broker. The rest are rows in
//! Postgres, where they can be reordered, paused and cancelled.

use assize_common::Lane;

use crate::store::LaneLoad;

/// Enough to keep new workers busy until they have registered.
const LEAST_URGENT: u32 = 16;
/// For lanes that nobody waits for: more, since they are looked at less often.
const LEAST: u32 = 64;
/// However many slots workers claim to have: RabbitMQ holds what it has in memory.
pub(crate) const MOST: u32 = 20_000;
/// While live tasks wait, one in so many slots gets background work.
const RESERVED: u32 = 8;

/// How many more tasks of a lane may be published now.
pub(crate) fn room(lane: Lane, load: &LaneLoad) -> u32 {
    if load.paused {
        return 0;
    }
    let window = match lane {
        // What waits here has its place for good: a short queue keeps the order fair.
        Lane::Live | Lane::Flagged | Lane::Quarantine => {
            LEAST_URGENT.max(load.slots.saturating_mul(2))
        }
        // Live work comes first but does not starve the rest.
        Lane::Rejudge | Lane::Batch if load.live_waits => load.slots.div_ceil(RESERVED).max(1),
        Lane::Rejudge | Lane::Batch => LEAST.max(load.slots.saturating_mul(4)),
    };
    window.min(MOST).saturating_sub(load.published)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: LaneLoad = LaneLoad {
        paused: false,
        published: 0,
        slots: 0,
        live_waits: false,
        languages: None,
    };

    #[test]
    fn there_is_room_for_every_slot_and_no_more() {
        let load = LaneLoad { slots: 40, ..IDLE };
        assert_eq!(room(Lane::Live, &load), 80);
        assert_eq!(room(Lane::Rejudge, &load), 160);
        let load = LaneLoad {
            published: 79,
            ..load
        };
        assert_eq!(room(Lane::Live, &load), 1);
        let load = LaneLoad {
            published: 500,
            ..load
        };
        assert_eq!(room(Lane::Live, &load), 0);
    }

    #[test]
    fn without_workers_some_tasks_wait_for_the_first_one() {
        assert!(Lane::ALL.into_iter().all(|lane| room(lane, &IDLE) > 0));
    }

    #[test]
    fn no_claim_of_workers_opens_the_window_beyond_all_measure() {
        let load = LaneLoad {
            slots: u32::MAX,
            ..IDLE
        };
        assert!(Lane::ALL.into_iter().all(|lane| room(lane, &load) == MOST));
    }

    #[test]
    fn a_paused_lane_has_no_room() {
        let load = LaneLoad {
            paused: true,
            ..IDLE
        };
        assert!(Lane::ALL.into_iter().all(|lane| room(lane, &load) == 0));
    }

    #[test]
    fn waiting_live_tasks_leave_a_share_to_rejudging() {
        let load = LaneLoad {
            slots: 16,
            live_waits: true,
            ..IDLE
        };
        assert_eq!(room(Lane::Rejudge, &load), 2);
        assert_eq!(room(Lane::Batch, &IDLE), 64);
        let few = LaneLoad {
            live_waits: true,
            ..IDLE
        };
        assert_eq!(room(Lane::Batch, &few), 1, "never starved");
    }
}
