//! What this machine does without a platform: the loops that measurements are compared with.

mod http2;
mod smpp;

pub use http2::bare_http2;
pub use smpp::bare_smpp;
