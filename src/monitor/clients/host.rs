//! An engine, as its clients see it: who is let in, and what all of them share.

use std::sync::Arc;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
};

use crate::monitor::Handle;
use crate::monitor::clients::encode::Encoded;
use crate::monitor::clients::guest::{Guest, HUNG_UP};
use crate::monitor::clients::seats::Seats;
use crate::monitor::clients::wire::EngineHello;

/// What all clients of one engine share.
pub(crate) struct Host {
    pub(super) hello: EngineHello,
    pub(super) encoded: Encoded,
    seats: Arc<Seats>,
}

impl Host {
    pub(crate) fn new(hello: EngineHello) -> Self {
        Self { hello, encoded: Encoded::default(), seats: Arc::default() }
    }

    /// Serves one client to its end.
    pub(crate) async fn admit(self: Arc<Self>, stream: UnixStream, handle: Handle) {
        let ours = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == ours => {}
            Ok(peer) => return tracing::warn!(uid = peer.uid(), "a client of another user was turned away"),
            Err(error) => return tracing::warn!(%error, "a client whose user is not known was turned away"),
        }
        let (read, write) = stream.into_split();
        self.serve(read, write, handle).await;
    }

    /// Serves one client to its end, over any stream of bytes: whoever made the stream has seen to it who is there.
    pub(crate) async fn serve(
        self: Arc<Self>,
        read: impl AsyncRead + Send + Unpin + 'static,
        write: impl AsyncWrite + Send + Unpin + 'static,
        handle: Handle,
    ) {
        let seat = self.seats.take().await;
        let leave = seat.as_ref().map(|seat| seat.leave.clone());
        let client = Guest::new(Arc::clone(&self), Box::new(read), Box::new(write), handle, seat);
        let gone = match leave {
            None => client.turn_away().await,
            Some(leave) => tokio::select! {
                gone = client.serve() => gone,
                () = leave.cancelled() => Err("it said nothing for long, and its place was needed".to_owned()),
            },
        };
        match gone {
            Ok(()) => tracing::debug!("a client left"),
            // One that took its snapshot and left at once.
            Err(reason) if reason == HUNG_UP => tracing::debug!("a client left"),
            Err(reason) => tracing::info!(reason, "a client was let go"),
        }
    }
}
