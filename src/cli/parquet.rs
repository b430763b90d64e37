//! `--parquet`: tables of charges as Parquet beside the CSV, in a build with that feature.

use anyhow::Result;

use super::exit::CommandResult;
use super::folder::Folder;

/// Writes these tables of a folder, whose CSV is written, as Parquet.
#[cfg(feature = "parquet")]
pub(super) fn write(folder: &Folder, tables: &[&str]) -> Result<()> {
    use anyhow::Context;

    for table in tables {
        let name = format!("{table}.parquet");
        let csv = folder.written(&format!("{table}.csv"))?;
        let out = windtunnel::report::write_parquet(csv, folder.file(&name)?);
        super::folder::finish(out.with_context(|| format!("cannot write `{name}`"))?, &name)?;
    }
    Ok(())
}

/// Writes nothing: [`check`] has refused.
#[cfg(not(feature = "parquet"))]
pub(super) fn write(_: &Folder, _: &[&str]) -> Result<()> {
    Ok(())
}

/// Refuses `--parquet` where this build has no such feature.
pub(super) fn check(asked: bool) -> CommandResult {
    match asked && !cfg!(feature = "parquet") {
        true => Err(super::exit::Stop::usage(
            "this build writes no Parquet",
            "build with `--features parquet`, or leave `--parquet` out",
        )),
        false => Ok(()),
    }
}
