//! Acts on their way to a host: so many at once, each answered or known to be lost, none sent twice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::timeout,
};

use crate::monitor::link::end::tidy;
use crate::monitor::link::lines::{ActLine, ActedLine, Acting, LONGEST_ACT, message};

/// An answer comes within this time, or is lost.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Most acts of one host at once.
const AT_ONCE: usize = 8;

/// There is no answer to an act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActLost {
    /// It was not sent, and nothing was done.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// It was sent, and there is no answer. It is not sent again.
    #[error("it is not known whether it was done: look at it")]
    Unknown,
}

type Answer = oneshot::Sender<Result<Value, ActLost>>;

/// An act that waits to be sent.
#[derive(Debug)]
pub(crate) struct ActOrder {
    key: String,
    act: Value,
    answer: Answer,
}

/// The way for acts to one host.
#[derive(Clone, Debug)]
pub(crate) struct Acts {
    /// That of the connection there is.
    way: Arc<Mutex<Option<mpsc::Sender<ActOrder>>>>,
    room: Arc<Semaphore>,
}

impl Default for Acts {
    fn default() -> Self {
        Self { way: Arc::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Acts {
    /// A way for as long as what is returned is there.
    pub(crate) fn open(&self) -> Underway {
        let (way, orders) = mpsc::channel(AT_ONCE);
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some(way);
        Underway { acts: self.clone(), orders, sent: HashMap::new(), last: 0 }
    }

    /// Sends an act to a member, and waits for its answer.
    pub(crate) fn send(
        &self,
        key: &str,
        act: Value,
    ) -> impl Future<Output = Result<Value, ActLost>> + Send + 'static + use<> {
        let not_sent = |why: &str| ActLost::NotSent(why.to_owned());
        let (answer, answered) = oneshot::channel();
        let order = ActOrder { key: key.to_owned(), act, answer };
        let (way, room) = (Arc::clone(&self.way), Arc::clone(&self.room).acquire_owned());
        async move {
            // A message to many goes eight by eight; each is compared with its pane when its turn comes.
            let room = timeout(ANSWER_LIMIT, room).await;
            let Ok(Ok(_room)) = room else { return Err(not_sent("too many acts of this host wait already")) };
            // Its number is not known yet, and has at most 20 digits.
            if order.act.to_string().len() + 64 > LONGEST_ACT {
                return Err(not_sent("it is too long"));
            }
            let way = way.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let way = way.ok_or_else(|| not_sent("the host is not reached"))?;
            way.try_send(order).map_err(|_| not_sent("the host is not reached"))?;
            drop(way);
            match timeout(ANSWER_LIMIT, answered).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) | Err(_) => Err(ActLost::Unknown),
            }
        }
    }
}

/// The acts of one connection.
#[derive(Debug)]
pub(crate) struct Underway {
    acts: Acts,
    orders: mpsc::Receiver<ActOrder>,
    sent: HashMap<u64, Answer>,
    last: u64,
}

impl Underway {
    /// The next one to be sent, as its line. A call that is dropped half-way loses nothing.
    pub(crate) async fn next(&mut self) -> Vec<u8> {
        loop {
            let Some(ActOrder { key, act, answer }) = self.orders.recv().await else { std::future::pending().await };
            self.sent.retain(|_, answer| !answer.is_closed());
            // Nobody waits any more: it would be done behind their back.
            if answer.is_closed() {
                continue;
            }
            self.last += 1;
            self.sent.insert(self.last, answer);
            return message(&key, &Acting::Act(ActLine { id: self.last, act }));
        }
    }

    /// An answer came. One that nobody waits for is passed over.
    pub(crate) fn answered(&mut self, acted: &ActedLine) {
        if let Some(answer) = self.sent.remove(&acted.id) {
            answer.send(Ok(json!({ "ok": acted.ok, "text": tidy(&acted.text) }))).ok();
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        *self.acts.way.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            order.answer.send(Err(ActLost::NotSent("the connection ended".to_owned()))).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_is_answered_once_or_known_to_be_lost_and_none_is_sent_again() {
        let acts = Acts::default();
        let not_reached = acts.send("k", json!(1)).await;
        assert_eq!(not_reached, Err(ActLost::NotSent("the host is not reached".to_owned())));
        let mut underway = acts.open();
        let one = tokio::spawn(acts.send("k", json!("one")));
        let line = String::from_utf8(underway.next().await).unwrap();
        assert_eq!(line, "k {\"act\":{\"id\":1,\"act\":\"one\"}}\n");
        underway.answered(&ActedLine { id: 7, ok: true, text: "of nobody".to_owned() });
        underway.answered(&ActedLine { id: 1, ok: false, text: "its prompt\u{1b}[2J has changed".to_owned() });
        let answer = one.await.unwrap().unwrap();
        assert_eq!(answer["ok"], false);
        assert!(!answer["text"].as_str().unwrap().contains('\u{1b}'));
        // One that was sent and one that was not, when the connection ends.
        let (sent, waits) = (tokio::spawn(acts.send("k", json!(2))), acts.send("k", json!(3)));
        underway.next().await;
        let waits = tokio::spawn(waits);
        tokio::task::yield_now().await;
        drop(underway);
        assert_eq!(sent.await.unwrap(), Err(ActLost::Unknown));
        assert!(matches!(waits.await.unwrap(), Err(ActLost::NotSent(_))));
        // The next connection begins with nothing of it.
        let mut underway = acts.open();
        let nothing = timeout(Duration::from_secs(1), underway.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        // And the answer that never comes.
        let lost = tokio::spawn(acts.send("k", json!(4)));
        underway.next().await;
        assert_eq!(lost.await.unwrap(), Err(ActLost::Unknown));
    }

    #[tokio::test(start_paused = true)]
    async fn not_more_than_eight_at_once_the_others_in_their_turn_and_none_too_long() {
        let acts = Acts::default();
        let mut underway = acts.open();
        let too_long = acts.send("k", json!("x".repeat(LONGEST_ACT))).await;
        assert_eq!(too_long, Err(ActLost::NotSent("it is too long".to_owned())));
        let all = JoinSet::from_iter((0..AT_ONCE + 4).map(|n| acts.send("k", json!(n))));
        let answers = async {
            let mut most = 0;
            for id in 1..=AT_ONCE as u64 + 4 {
                timeout(ANSWER_LIMIT, underway.next()).await.expect("it is sent in its turn");
                most = most.max(underway.sent.len());
                // The first ones are answered only when as many as may be are under way.
                if let Some(id) = id.checked_sub(AT_ONCE as u64 - 1).filter(|id| *id > 0) {
                    underway.answered(&ActedLine { id, ok: true, ..ActedLine::default() });
                }
            }
            for id in 1..=AT_ONCE as u64 + 4 {
                underway.answered(&ActedLine { id, ok: true, ..ActedLine::default() });
            }
            most
        };
        let (answered, most) = tokio::join!(all.join_all(), answers);
        assert!(answered.iter().all(Result::is_ok) && answered.len() == AT_ONCE + 4, "{answered:?}");
        assert_eq!(most, AT_ONCE);
        let unheard = JoinSet::from_iter((0..=AT_ONCE).map(|n| acts.send("k", json!(n)))).join_all().await;
        let lost = |one: &&Result<Value, ActLost>| **one == Err(ActLost::Unknown);
        assert_eq!(unheard.iter().filter(lost).count(), AT_ONCE, "nobody answers");
        assert!(unheard.iter().any(|one| matches!(one, Err(ActLost::NotSent(_)))), "and what waited was not sent");
    }
}
