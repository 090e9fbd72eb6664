//! When an order is looked at and taken.

use super::*;
use crate::app::core::fixture::{test_agent, test_snapshot};
use crate::app::core::fleet::{Label, MemberId};
use crate::monitor::{AgentState, Link, Snapshot};

fn fleet(states: [AgentState; 3]) -> Fleet {
    let agents = (0..).zip(states).map(|(id, state)| test_agent(id, state)).collect();
    let snapshot = Arc::new(Snapshot { agents, ..test_snapshot() });
    let member = Member { id: MemberId::FIRST, label: Label::default(), link: Link::default(), snapshot };
    Fleet::new(member, std::iter::empty())
}

#[test]
fn an_order_that_is_not_taken_yet_is_not_looked_at_unless_somebody_needs_the_user() {
    use AgentState::{Error, Idle, Waiting, Working};
    let (mut list, at) = (List::default(), Duration::from_millis);
    let still = fleet([Working, Idle, Idle]);
    assert!(list.rebuild(&still, at(0), true));
    assert!(list.stands(&still, &fleet([Working, Idle, Idle]), at(10)));
    let moved = fleet([Idle, Idle, Working]);
    assert!(!list.stands(&still, &moved, at(20)), "another order");
    assert!(!list.rebuild(&moved, at(20), false), "which waits");
    let more = fleet([Working, Error, Working]);
    assert!(list.stands(&moved, &more, at(900)) && !list.waits(&more, at(900)), "more of the same waits with it");
    let asks = fleet([Idle, Error, Waiting]);
    assert!(!list.stands(&moved, &asks, at(950)));
    assert!(list.waits(&moved, at(2100)) && !list.stands(&moved, &more, at(2100)), "its time has come");
    assert!(list.rebuild(&more, at(2100), false));
    // One that needs the user, while somebody is at the keys.
    list.last_input = Some(at(2200));
    assert!(!list.rebuild(&asks, at(2300), false));
    assert!(list.waits(&asks, at(2400)) && !list.stands(&asks, &asks, at(2400)), "it is taken as soon as they rest");
    assert!(list.rebuild(&asks, at(4200), false));
}
