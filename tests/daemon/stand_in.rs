//! A stand-in for an engine: publishes what it is told and obeys commands, so that the socket alone is on trial.

use std::sync::Arc;

use tmux_orc::monitor::clients::wire;
use tmux_orc::monitor::{
    Agents, Clients, Command, CyclePoint, EngineInfo, EngineLock, EnginePaths, EngineSocket, Event, EventKind, Handle,
    Interest, LiveSettings, Order, Preview, Refused, Requests, ServerInfo, Snapshot,
};
use tmux_orc::tmux::PaneId;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// A snapshot as after cycle `cycle`, with as many points and events.
pub fn snapshot(cycle: u64) -> Snapshot {
    let point = |cycle| CyclePoint { cycle, duration_ms: cycle as f32, ..CyclePoint::default() };
    let event = |seq| Event {
        seq,
        at: jiff::Timestamp::UNIX_EPOCH,
        what: EventKind::Notice { text: format!("event {seq}"), problem: false },
    };
    let base_status = tmux_orc::monitor::BaseStatus { cycle_count: cycle, ..Default::default() };
    Snapshot {
        schema: tmux_orc::monitor::SCHEMA,
        timestamp: jiff::Timestamp::UNIX_EPOCH,
        server: ServerInfo::default(),
        engine: EngineInfo { mode: "async".into(), pid: std::process::id(), ..EngineInfo::default() },
        current_strategy: "adaptive".into(),
        base_status,
        connection_pool: Default::default(),
        cache_performance: Default::default(),
        health_summary: Default::default(),
        cycle: Default::default(),
        cost: Default::default(),
        settings: LiveSettings { pool_max: 20, interval: 1.0, ..LiveSettings::default() },
        strategies: Vec::new(),
        tune: Vec::new(),
        hour: Default::default(),
        history: Arc::new((1..=cycle).map(point).collect()),
        events: Arc::new((1..=cycle).map(event).collect()),
        notes: Vec::new(),
        backlog: Arc::default(),
        instruments: true,
        preview: None,
        tiles: Vec::new(),
        previews: Vec::new(),
        agents: Agents::new(),
        accounts: Vec::new(),
    }
}

/// A served stand-in.
pub struct StandIn {
    pub dir: tempfile::TempDir,
    pub paths: EnginePaths,
    pub publish: Arc<watch::Sender<Arc<Snapshot>>>,
    /// Who is there; the first is the stand-in's own.
    pub clients: watch::Receiver<Clients>,
    pub obeys: JoinHandle<Vec<Command>>,
    pub serves: JoinHandle<()>,
    _lock: EngineLock,
}

impl StandIn {
    /// Serves with this protocol version.
    pub fn start(protocol: u32) -> Self {
        let dir = tempfile::tempdir().expect("made");
        let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
        let lock = EngineLock::acquire(&paths).expect("free");
        let socket = EngineSocket::bind(&paths, &lock).expect("bound");
        let (publish, snapshots) = watch::channel(Arc::new(snapshot(1)));
        let publish = Arc::new(publish);
        let (handle, requests) = Handle::new(snapshots, 16);
        let hello = wire::EngineHello {
            protocol,
            version: "9.9.9".into(),
            schema: tmux_orc::monitor::SCHEMA,
            pid: std::process::id(),
            tmux_socket: "tmux".into(),
            oldest: 0,
            logs: None,
            at: None,
        };
        handle.commands.set_interest(Interest::default());
        let Requests { commands, clients, .. } = requests;
        let obeys = tokio::spawn(obey(commands, Arc::downgrade(&publish)));
        let serves = tokio::spawn(socket.serve(handle, hello));
        Self { dir, paths, publish, clients, obeys, serves, _lock: lock }
    }

    /// Publishes the snapshot of a cycle.
    pub fn publish(&self, cycle: u64) {
        self.publish.send_replace(Arc::new(snapshot(cycle)));
    }

    /// Publishes the snapshot of a cycle with the screens of these panes.
    pub fn show(&self, cycle: u64, panes: &[u32]) {
        let preview = |pane: &u32| {
            let captured_at = jiff::Timestamp::UNIX_EPOCH;
            Arc::new(Preview { pane_id: PaneId(*pane), text: format!("pane {pane}"), captured_at, above: 0 })
        };
        let previews = panes.iter().map(preview).collect();
        self.publish.send_replace(Arc::new(Snapshot { previews, ..snapshot(cycle) }));
    }

    /// Ends the engine: no snapshot can come any more.
    pub async fn end(self) -> tempfile::TempDir {
        let Self { dir, publish, serves, obeys, .. } = self;
        drop(publish);
        serves.await.expect("served");
        obeys.abort();
        dir
    }
}

async fn obey(
    mut queue: mpsc::Receiver<Order>,
    publish: std::sync::Weak<watch::Sender<Arc<Snapshot>>>,
) -> Vec<Command> {
    let mut obeyed = Vec::new();
    while let Some(order) = queue.recv().await {
        let command = order.command.clone();
        let mut answer = Ok(());
        let Some(publish) = publish.upgrade() else { break };
        publish.send_modify(|snapshot| {
            let snapshot = Arc::make_mut(snapshot);
            match &command {
                Command::PoolSize(size) => snapshot.settings.pool_max = (*size).min(64),
                Command::Strategy(name) if name == "polling" => snapshot.current_strategy.clone_from(name),
                Command::Strategy(name) => answer = Err(Refused(format!("no strategy {name}"))),
                _ => {}
            }
        });
        order.answer(answer);
        obeyed.push(command);
    }
    obeyed
}
