//! Files that are written while a run goes on, each on a thread of its own, so
//! that the run does not wait for the disk.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::output_quota::Metered;

/// Bytes handed to the thread at once.
const BLOCK: usize = 1 << 18;
/// Blocks that may wait for the disk: with the one being filled and the one
/// being written, no more than 2.5 MiB per file.
const WAITING: usize = 8;

/// A file in the making.
#[derive(Debug)]
pub(super) struct BackgroundFile {
    block: Vec<u8>,
    /// Thread that writes; `None` once it has ended.
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    full: SyncSender<Vec<u8>>,
    /// Written blocks, to be filled again.
    written: Receiver<Vec<u8>>,
    handle: JoinHandle<io::Result<()>>,
}

impl BackgroundFile {
    /// Writes to `file` from now on.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn new(file: Metered) -> io::Result<Self> {
        let (full, blocks) = sync_channel(WAITING);
        let (done, written) = sync_channel(WAITING);
        let handle = thread::Builder::new()
            .name("files".to_owned())
            .spawn(move || write_blocks(file, &blocks, &done))?;
        Ok(Self {
            block: Vec::with_capacity(BLOCK),
            thread: Some(Thread { full, written, handle }),
        })
    }

    /// Writes what is left, and everything to the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.hand_on()?;
        self.end()
    }

    /// Gives the block to the thread and takes an empty one.
    fn hand_on(&mut self) -> io::Result<()> {
        let Some(thread) = &self.thread else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let empty = thread.written.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
        if thread.full.send(mem::replace(&mut self.block, empty)).is_err() {
            self.end()?;
        }
        Ok(())
    }

    /// Waits for the thread to end; what it says is the file's error.
    fn end(&mut self) -> io::Result<()> {
        let Some(Thread { full, written, handle }) = self.thread.take() else { return Ok(()) };
        drop((full, written));
        handle.join().unwrap_or_else(|_| Err(io::Error::other("its thread has ended")))
    }
}

impl Write for BackgroundFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() + bytes.len() > BLOCK {
            self.hand_on()?;
        }
        self.block.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()
    }
}

fn write_blocks(
    mut file: Metered,
    blocks: &Receiver<Vec<u8>>,
    done: &SyncSender<Vec<u8>>,
) -> io::Result<()> {
    for mut block in blocks {
        file.write_all(&block)?;
        block.clear();
        // More empty blocks than there is room for are not needed.
        let _ = done.try_send(block);
    }
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::sync::Arc;

    use super::super::output_quota::OutputQuota;

    fn metered(file: File) -> Metered {
        Metered::new("a", file, Arc::new(OutputQuota::new(u64::MAX)), Arc::default())
    }

    #[test]
    fn every_byte_arrives_in_order() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a");
        let mut spool =
            BackgroundFile::new(metered(File::create(&path).expect("made"))).expect("started");
        let mut want = Vec::new();
        for row in 0..200_000_u32 {
            let text = format!("{row},{}\n", "x".repeat(row as usize % 40));
            spool.write_all(text.as_bytes()).expect("written");
            want.extend_from_slice(text.as_bytes());
        }
        spool.finish().expect("written");
        assert!(fs::read(&path).expect("read") == want);
    }

    #[test]
    fn the_error_of_the_disk_comes_out() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a");
        fs::write(&path, "").expect("written");
        // Opened for reading: nothing can be written to it.
        let mut spool =
            BackgroundFile::new(metered(File::open(&path).expect("opened"))).expect("started");
        let block = vec![b'x'; BLOCK];
        let failed = (0..100).find_map(|_| spool.write_all(&block).err());
        let error = failed.unwrap_or_else(|| spool.finish().expect_err("it cannot be written"));
        assert_ne!(error.kind(), io::ErrorKind::BrokenPipe, "{error}");
    }
}
