//! A handle whose engine changes.

use futures_util::FutureExt as _;

use super::*;
use crate::monitor::EngineSettings;
use crate::monitor::engine::core::Core;
use crate::tmux::scripted::Script;
use crate::tmux::{PaneId, Server};

/// An engine that publishes and obeys as the test says.
struct Stand {
    publish: watch::Sender<Arc<Snapshot>>,
    handle: Handle,
    requests: Requests,
}

fn snapshot(schema: u32) -> Arc<Snapshot> {
    let mut core = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap();
    Arc::new(Snapshot { schema, ..core.snapshot() })
}

fn stand(schema: u32) -> Stand {
    let (publish, snapshots) = watch::channel(snapshot(schema));
    let (handle, requests) = Handle::new(snapshots, 1);
    Stand { publish, handle, requests }
}

async fn next(snapshots: &mut Snapshots) -> u32 {
    snapshots.changed().await.unwrap();
    snapshots.borrow_and_update().schema
}

#[tokio::test]
async fn a_followed_handle_shows_one_engine_after_the_other_and_misses_neither_a_switch_nor_the_end() {
    let (one, two) = (stand(1), stand(2));
    let (show, current) = watch::channel(Current::new(&one.handle, &one.handle));
    let mut handle = Handle::followed(current, CancellationToken::new());
    assert_eq!(handle.snapshots.borrow_and_update().schema, 1);
    one.publish.send_replace(snapshot(11));
    assert_eq!(next(&mut handle.snapshots).await, 11);
    drop(one.publish);
    assert!(!handle.snapshots.ended(), "another may come");
    assert_eq!(changed_now(&handle.snapshots), None, "there is none yet");
    show.send_replace(Current::new(&two.handle, &two.handle));
    assert_eq!(changed_now(&handle.snapshots), Some(Ok(())));
    assert_eq!((handle.snapshots.borrow().schema, next(&mut handle.snapshots).await), (2, 2));
    two.publish.send_replace(snapshot(22));
    drop((show, two.publish));
    assert_eq!(next(&mut handle.snapshots).await, 22, "the last one is not lost");
    assert!(handle.snapshots.changed().await.is_err() && handle.snapshots.ended());
    assert_eq!(handle.snapshots.borrow().schema, 22, "and stays");
}

fn changed_now(snapshots: &Snapshots) -> Option<Result<(), Ended>> {
    snapshots.clone().changed().now_or_never()
}

#[tokio::test]
async fn what_a_front_end_asks_goes_to_the_engine_of_now_and_ends_with_the_front_end() {
    let (mut one, mut two) = (stand(1), stand(2));
    let (show, current) = watch::channel(Current::new(&one.handle, &one.handle));
    let end = CancellationToken::new();
    let handle = Handle::followed(current, end.clone());
    let weak = handle.commands.downgrade();
    handle.commands.try_send(Command::Focus(Some(PaneId(7)))).unwrap();
    handle.commands.try_send(Command::Refresh).unwrap();
    assert_eq!(one.requests.clients.borrow().focus().len(), 1);
    assert_eq!(one.requests.commands.recv().await.unwrap().command, Command::Refresh);
    show.send_replace(Current::new(&one.handle, &two.handle));
    assert_eq!(handle.snapshots.borrow().schema, 1, "what is shown may stay for a while");
    let answer = handle.commands.ask(Command::Refresh);
    two.requests.commands.recv().await.unwrap().answer(Err(Refused("no".to_owned())));
    assert_eq!(answer.await, Err(Refused("no".to_owned()).into()));
    drop(two);
    assert_eq!(handle.commands.try_send(Command::Refresh), Err(NotSent::Ended));
    assert!(handle.another(true).is_none());
    show.send_replace(Current::new(&one.handle, &one.handle));
    assert!(handle.another(true).is_some() && !end.is_cancelled());
    drop(handle);
    assert!(end.is_cancelled() && weak.upgrade().is_none());
    assert!(one.requests.commands.try_recv().is_err(), "the engine itself is the follower's to end");
}

#[tokio::test]
async fn to_stop_a_followed_engine_ends_the_following() {
    let mut one = stand(1);
    let (_show, current) = watch::channel(Current::new(&one.handle, &one.handle));
    let end = CancellationToken::new();
    let handle = Handle::followed(current, end.clone());
    assert_eq!(handle.commands.ask(Command::Stop).await, Ok(()));
    assert!(end.is_cancelled() && one.requests.commands.try_recv().is_err());
}
