//! What a private server promises, on the packed one.

mod places;
mod processes;

use std::os::unix::net::UnixStream;

use private_postgres::Server;

/// Whether somebody answers on its socket.
fn takes_connections(server: &Server) -> bool {
    let address = server.address();
    UnixStream::connect(address.socket_directory.join(format!(".s.PGSQL.{}", address.port))).is_ok()
}
