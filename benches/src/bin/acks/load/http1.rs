//! One connection for each asker. Requests are written beforehand but for the token; of an answer the status is read, and where
//! it ends.

use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Shared;

/// Asks until nobody is left.
pub(super) async fn keep_busy(mut stream: TcpStream, shared: Rc<Shared>) -> anyhow::Result<()> {
    let alert = shared.alert;
    let head = format!("POST /api/v1/me/alerts/{alert}/acknowledgement HTTP/1.1\r\nhost: fenghuo\r\nauthorization: Bearer ");
    let mut request = head.clone().into_bytes();
    let mut answer = Answer::default();
    while let Some((resident, token)) = shared.next() {
        request.truncate(head.len());
        request.extend_from_slice(token.as_bytes());
        request.extend_from_slice(b"\r\ncontent-length: 0\r\n\r\n");
        let begun = Instant::now();
        stream.write_all(&request).await?;
        let good = answer.read(&mut stream).await?;
        shared.answered(resident, begun, good);
    }
    Ok(())
}

/// Reads one answer after the other.
struct Answer {
    bytes: Box<[u8; 4096]>,
    /// Where the head of the last answer ended, and where it told the body's length: most are alike.
    head: usize,
    told: usize,
}

const END: &[u8] = b"\r\n\r\n";
const LENGTH: &[u8] = b"\r\ncontent-length: ";

impl Default for Answer {
    fn default() -> Self {
        Self { bytes: Box::new([0; 4096]), head: 0, told: 0 }
    }
}

impl Answer {
    /// Whether the next answer is a 200.
    async fn read(&mut self, stream: &mut TcpStream) -> anyhow::Result<bool> {
        let mut filled = 0;
        loop {
            let read = stream.read(&mut self.bytes[filled..]).await?;
            ensure!(read > 0, "the service hung up, or answers at length");
            filled += read;
            match self.whole(filled)? {
                Some(whole) if whole < filled => bail!("an answer came that nobody asked for"),
                Some(whole) if whole == filled => return Ok(self.bytes.starts_with(b"HTTP/1.1 200 ")),
                _ => {}
            }
        }
    }

    /// How long the answer is, once its head is there.
    fn whole(&mut self, filled: usize) -> anyhow::Result<Option<usize>> {
        let bytes = &self.bytes[..filled];
        let alike = bytes.get(..self.head).is_some_and(|head| head.ends_with(END) && head[..self.told].ends_with(LENGTH));
        if !alike {
            let Some(end) = position(bytes, END) else { return Ok(None) };
            self.told = position(&bytes[..end], LENGTH).context("an answer does not say how long it is")?;
            self.head = end;
        }
        let digits = self.bytes[self.told..].iter().take_while(|byte| byte.is_ascii_digit());
        Ok(Some(self.head + digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))))
    }
}

/// Where the first `wanted` ends.
fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted).map(|at| at + wanted.len())
}
