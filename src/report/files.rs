//! Files of a folder of results, and a folder that takes them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::chart::Chart;
use super::document::Document;

/// Kind that the manifest of a folder of results gives.
pub const RESULTS: &str = "windtunnel results";
/// Name of the manifest, which is written last.
pub const MANIFEST: &str = "manifest.json";

/// Takes the files of a folder of results.
pub trait ResultFiles {
    /// Failure to take one.
    type Failure: From<io::Error>;

    /// Takes the file called `name`, which may have one folder in front; `fill` writes it.
    ///
    /// # Errors
    /// It cannot be written.
    fn take(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Self::Failure>;

    /// Takes a file that is made already.
    ///
    /// # Errors
    /// As [`ResultFiles::take`].
    fn take_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), Self::Failure> {
        self.take(name, &mut |out| out.write_all(bytes))
    }
}

/// Gives every chart as SVG and PNG, and then the page called `name`.
///
/// # Errors
/// The first that cannot be written.
pub fn write_page<F: ResultFiles>(
    files: &F,
    name: &str,
    charts: Vec<Chart>,
    document: impl FnOnce(Vec<Chart>) -> Document,
) -> Result<(), F::Failure> {
    for chart in &charts {
        files.take_bytes(&format!("charts/{}.svg", chart.name), chart.svg()?.as_bytes())?;
        files.take(&format!("charts/{}.png", chart.name), &mut |out| chart.write_png(out))?;
    }
    let document = document(charts);
    files.take(name, &mut |out| document.write_page(out))
}

/// A folder of results in the making: under a temporary name, until its manifest is written.
/// Dropped before, it goes.
#[derive(Debug)]
pub struct ResultFolder {
    target: PathBuf,
    work: PathBuf,
    hashes: RefCell<BTreeMap<String, String>>,
}

impl ResultFolder {
    /// A folder that will be at `target`, where nothing is yet.
    ///
    /// # Errors
    /// There is something, or it cannot be made.
    pub fn create(target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        if target.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let work = target.with_file_name(format!(".{}.incomplete", name.to_string_lossy()));
        if let Some(parent) = work.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::create_dir(&work)?;
        Ok(Self { target: target.to_owned(), work, hashes: RefCell::default() })
    }

    /// Writes the manifest, with a hash of every file, and gives the folder its name.
    ///
    /// # Errors
    /// It cannot be written or renamed.
    pub fn finish(self, mut manifest: Value) -> io::Result<()> {
        manifest["files"] = json!(*self.hashes.borrow());
        let mut text = serde_json::to_vec_pretty(&manifest)?;
        text.push(b'\n');
        self.take_bytes(MANIFEST, &text)?;
        fs::rename(&self.work, &self.target)
    }
}

impl ResultFiles for ResultFolder {
    type Failure = io::Error;

    fn take(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.work.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = File::create_new(path)?;
        let mut out = Hashed { file: BufWriter::new(file), hasher: blake3::Hasher::new() };
        fill(&mut out)?;
        out.file.into_inner()?.sync_all()?;
        let hash = out.hasher.finalize().to_hex().to_string();
        self.hashes.borrow_mut().insert(name.to_owned(), hash);
        Ok(())
    }
}

impl Drop for ResultFolder {
    fn drop(&mut self) {
        // Nothing is left here of a finished folder; any other that cannot be removed has a name
        // that says that it is not whole.
        let _ = fs::remove_dir_all(&self.work);
    }
}

/// A file whose bytes are hashed.
struct Hashed {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
