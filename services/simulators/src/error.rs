//! What can go wrong while the simulators start; once running they answer errors in the provider's own words.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why the simulators could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port is taken or may not be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The CA certificate or a credential could not be written for the platform to read.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A key or certificate could not be made.
    #[error("cannot make the simulated providers' keys and certificates")]
    Certificate(#[from] rcgen::Error),
    /// rustls refused the certificate that was just made.
    #[error("cannot set up TLS for the simulated providers")]
    Tls(#[from] rustls::Error),
    /// A public key could not be read back for checking the platform's tokens.
    #[error("cannot read back the key that checks the platform's tokens")]
    Key(#[from] jsonwebtoken::errors::Error),
}
