//! A way to a server that a test can dam up: connections are cut, and refused until it is opened again.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Listens on a port of its own and passes everything on while it is open.
pub struct Weir {
    pub address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
}

impl Weir {
    /// Opens a way to `target`, a host and port.
    pub async fn before(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (open, target) = (Arc::new(watch::Sender::new(true)), target.to_owned());
        let gate = Arc::clone(&open);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut gate, target) = (gate.subscribe(), target.clone());
                if !*gate.borrow() {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = gate.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { address, open }
    }

    /// Cuts all connections and takes no new ones.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Cuts all connections, and takes new ones.
    pub async fn cut(&self) {
        self.close();
        // the ways through hear of it
        while self.open.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
        self.open();
    }

    /// Takes connections again.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}
