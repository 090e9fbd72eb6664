//! `perf tune` on an engine in the background: whatever way it ends, the engine goes on as before.

use rustix::process::Signal;

use super::{
    support::{PATIENCE, signal, wait_for},
    watched::Watched,
};

#[test]
fn an_interrupted_tuning_leaves_the_engine_as_it_was() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start", "--strategy", "polling", "--pool-size", "7"]).0, 0);
    let settings = || {
        let status = watched.status();
        let pool = &status["settings"];
        (status["current_strategy"].clone(), pool["pool_min"].clone(), pool["pool_max"].clone())
    };
    let before = settings();
    assert_eq!((&before.1, &before.2), (&5.into(), &7.into()), "the floor is above the smallest pool that is tried");
    let tuning = watched.server.orc(&["perf", "tune", "--seconds", "60"]).spawn();
    wait_for("something to be tried", PATIENCE, || settings() != before);
    signal(tuning.id(), Signal::INT);
    let ended = tuning.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("the settings are as before"), "{ended:?}");
    assert_eq!(settings(), before);
}
