//! Measures and spans for an OpenTelemetry collector on this machine: OTLP over HTTP, as protobuf or JSON, cumulative.
//!
//! No SDK and no gRPC: the types of the protocol, and one POST now and then. The collector has TLS, names and queues.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

mod encode;
mod environment;
mod post;
pub(super) mod spans;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use prost::Message;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

pub(super) use environment::Target;

use crate::app::metrics::otlp::encode::{Resource, metrics, traces};
use crate::app::metrics::otlp::environment::{Form, Signal};
use crate::app::metrics::otlp::post::{Sent, post};
use crate::app::metrics::otlp::spans::Span;
use crate::app::metrics::source::Measures;

/// How long a collector that cannot take anything now is left alone when it does not say how long.
const WAIT: Duration = Duration::from_secs(30);

/// The longest that one is left alone, whatever it says.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Most spans that wait for a collector.
const SPANS: usize = 2048;

/// Sends now and then.
#[derive(Debug)]
pub(super) struct Exporter {
    target: Target,
    measures: Measures,
    resource: Resource,
    waiting: VecDeque<Span>,
    /// Until when each of the two is left alone.
    pause: [Option<Instant>; 2],
    /// A failure is told of once.
    failed: [bool; 2],
}

/// Which of the two.
#[derive(Clone, Copy)]
enum What {
    Metrics,
    Traces,
}

impl Exporter {
    pub(super) fn new(target: Target, measures: Measures) -> Self {
        let resource = Resource::new(&target.resource);
        Self { target, measures, resource, waiting: VecDeque::new(), pause: [None; 2], failed: [false; 2] }
    }

    /// Sends until it is dropped.
    pub(super) async fn run(mut self) {
        let mut tick = interval(self.target.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.export().await;
        }
    }

    async fn export(&mut self) {
        let Some(now) = self.measures.now().await else { return };
        if let Some(signal) = self.target.metrics.clone().filter(|_| self.may(What::Metrics)) {
            let body = encoded(signal.form, &metrics(&self.resource, &now));
            if !self.send(What::Metrics, &signal, body).await {
                self.measures.dropped(1);
            }
        }
        let Some(signal) = self.target.traces.clone() else { return };
        let (spans, lost) = self.measures.spans();
        self.waiting.extend(spans);
        let too_many = self.waiting.len().saturating_sub(SPANS);
        self.waiting.drain(..too_many);
        self.measures.dropped(lost.saturating_add(too_many as u64));
        if self.waiting.is_empty() || !self.may(What::Traces) {
            return;
        }
        let spans: Vec<Span> = self.waiting.iter().cloned().collect();
        let body = encoded(signal.form, &traces(&self.resource, &self.measures.server(), &spans));
        if !self.send(What::Traces, &signal, body).await {
            self.measures.dropped(spans.len() as u64);
        }
        // What a collector may take later is kept; what it took, or never will, is not.
        if self.pause[What::Traces as usize].is_none() {
            self.waiting.clear();
        }
    }

    /// Whether its collector is not to be left alone.
    fn may(&mut self, what: What) -> bool {
        let pause = &mut self.pause[what as usize];
        *pause = pause.filter(|until| Instant::now() < *until);
        pause.is_none()
    }

    /// Whether nothing was lost: it was taken, or may be later.
    async fn send(&mut self, what: What, signal: &Signal, body: Vec<u8>) -> bool {
        let sent = post(signal, body).await;
        let at = what as usize;
        let why = match sent {
            Sent::Taken => {
                if std::mem::take(&mut self.failed[at]) {
                    tracing::info!("the collector takes what it is sent again");
                }
                return true;
            }
            Sent::Later(after) => {
                self.pause[at] = Some(Instant::now() + after.unwrap_or(WAIT).min(LONGEST_WAIT));
                "it cannot take anything now".to_owned()
            }
            Sent::Lost(why) => why,
        };
        if !std::mem::replace(&mut self.failed[at], true) {
            tracing::warn!(collector = signal.address.authority, why, "the collector does not take what it is sent");
        }
        self.pause[at].is_some()
    }
}

fn encoded(form: Form, message: &(impl Message + Serialize)) -> Vec<u8> {
    match form {
        Form::Protobuf => message.encode_to_vec(),
        // Its names and numbers are all such that JSON has them.
        Form::Json => serde_json::to_vec(message).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
