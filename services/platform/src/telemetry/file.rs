//! A log file that stays small: when it is full it becomes `….1`, in the place of the one before, and a new one begins.
//!
//! What was written by an earlier process is gone on with. Lines are never split between two files.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// A file of this size is full, in bytes. With the one before it, twice as much is kept.
const FULL: u64 = 16 << 20;

/// The file that all threads write to.
pub(super) struct LogFile(Mutex<Open>);

struct Open {
    path: PathBuf,
    file: File,
    length: u64,
    full: u64,
}

impl LogFile {
    /// Opens it, or makes it with the directories above it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::bounded(path, FULL)
    }

    fn bounded(path: &Path, full: u64) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let file = append(path)?;
        let length = file.metadata()?.len();
        Ok(Self(Mutex::new(Open { path: path.to_owned(), file, length, full })))
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// `fenghuo.log` was `fenghuo.log.1` before.
fn former(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".1");
    name.into()
}

impl Open {
    fn begin_anew(&mut self) -> io::Result<()> {
        // where it cannot be put aside it is emptied: a log must not fill the disk
        match std::fs::rename(&self.path, former(&self.path)).and_then(|()| append(&self.path)) {
            Ok(file) => self.file = file,
            Err(_) => self.file.set_len(0)?,
        }
        self.length = 0;
        Ok(())
    }
}

/// The right to write one line.
pub(super) struct Line<'a>(MutexGuard<'a, Open>);

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let open = &mut *self.0;
        if open.length > 0 && open.length + line.len() as u64 > open.full {
            open.begin_anew()?;
        }
        open.file.write_all(line)?;
        open.length += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_once_and_what_is_kept_stays_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data/fenghuo.log");
        let log = LogFile::bounded(&path, 100).unwrap();
        for number in 0..20 {
            writeln!(log.make_writer(), "line {number:02} of twenty bytes").unwrap();
        }
        let (now, before) = (std::fs::read_to_string(&path).unwrap(), std::fs::read_to_string(former(&path)).unwrap());
        assert!(now.ends_with("line 19 of twenty bytes\n") && now.len() <= 100, "{now}");
        assert!(before.ends_with('\n') && before.len() <= 100, "{before}");
        let next = before.lines().last().unwrap().replace("line ", "")[..2].parse::<usize>().unwrap() + 1;
        assert!(now.starts_with(&format!("line {next:02}")), "nothing is lost between the two: {before}{now}");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
    }

    #[test]
    fn an_earlier_file_is_gone_on_with_and_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fenghuo.log");
        std::fs::write(&path, "from yesterday\n").unwrap();
        writeln!(LogFile::bounded(&path, 30).unwrap().make_writer(), "from today").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "from yesterday\nfrom today\n");
        writeln!(LogFile::bounded(&path, 30).unwrap().make_writer(), "from today too").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "from today too\n");
    }
}
