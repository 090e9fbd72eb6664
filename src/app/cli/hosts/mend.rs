//! What a person does about a host from the dashboard: the verb that mends it, in a window of their tmux or, outside of one,
//! in the dashboard's own terminal.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::act::Window;
use crate::app::cli::Global;
use crate::app::core::message::Message;
use crate::app::settings::Paths;
use crate::monitor::{Connector, LinkedHost};

/// How the verbs are started.
#[derive(Clone, Debug)]
pub(crate) struct Mending {
    /// The program with the options of this one.
    program: Vec<String>,
    /// What it must have in its environment to see what is seen here.
    set: Vec<String>,
}

impl Mending {
    /// As this process was started.
    pub(crate) fn new(global: &Global, paths: &Paths) -> Self {
        let own = std::env::current_exe().map_or("tmux-orc".to_owned(), |path| path.display().to_string());
        let mut program = vec![own];
        if let Some(config) = &global.config {
            let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
            program.extend(["--config".to_owned(), config.display().to_string()]);
        }
        let path = std::env::var("PATH").map(|path| format!("PATH={path}"));
        let set = [format!("TMUX_ORC_HOME={}", paths.base.display())].into_iter().chain(path).collect();
        Self { program, set }
    }

    /// Runs this verb for a host where its person can answer, then tries to reach it.
    pub(crate) async fn mend(&self, host: &Arc<LinkedHost>, verb: &str, leaves: bool, tell: &mpsc::Sender<Message>) {
        let name = host.config().name.as_str();
        let say = async |text: String, ok: bool| {
            tell.send(Message::ActionResult { text, ok }).await.ok();
        };
        if let Connector::Command(_) = host.config().connector {
            let why = host.state().borrow().why().map(|why| format!(": {why}")).unwrap_or_default();
            return say(format!("{name} is reached by the program of its `connect`: mend that{why}"), false).await;
        }
        let words: Vec<String> = self.program.iter().cloned().chain(["hosts", verb, name].map(str::to_owned)).collect();
        // Its window would be gone with what it said last.
        let held = [&words[..], &["--hold".to_owned()]].concat();
        match Window::open(&format!("{verb} {name}"), &self.set, &held).await {
            Ok(Some(_)) if leaves => {
                tell.send(Message::Leave).await.ok();
            }
            Ok(Some(window)) => {
                say(format!("{verb} {name}: in its own window"), true).await;
                window.ended().await;
                host.retry();
            }
            Ok(None) => {
                tell.send(Message::Run(words, name.into())).await.ok();
            }
            Err(refusal) => say(refusal.to_string(), false).await,
        }
    }
}
