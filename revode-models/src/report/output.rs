//! A directory of results, written as a whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::ReportError;

/// The files of a run, kept in memory until all of them can be written.
///
/// [`commit`](Self::commit) writes each file under a temporary name in the directory and renames them
/// when all are written: a run that fails before leaves what an earlier one has written as it was,
/// and no file is ever half-written.
#[derive(Debug)]
pub struct Output {
    directory: PathBuf,
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Output {
    /// An output to `directory`, which is made where it does not exist; that files can be made in it
    /// is tried now, before the work.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`].
    pub fn create(directory: &Path) -> Result<Self, ReportError> {
        fs::create_dir_all(directory).map_err(unwritable(directory))?;
        let probe = temporary(directory, "probe");
        File::create(&probe)
            .and_then(|_| fs::remove_file(&probe))
            .map_err(unwritable(directory))?;
        Ok(Self { directory: directory.to_owned(), files: Vec::new() })
    }

    /// Adds a file.
    pub fn add(&mut self, name: &'static str, contents: impl Into<Vec<u8>>) {
        self.files.push((name, contents.into()));
    }

    /// Writes all files; returns their paths.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`] names the file; temporary files are removed.
    pub fn commit(self) -> Result<Vec<PathBuf>, ReportError> {
        let written = self.files.iter().try_for_each(|(name, contents)| {
            let path = temporary(&self.directory, name);
            write(&path, contents).map_err(unwritable(&path))
        });
        if let Err(error) = written {
            for (name, _) in &self.files {
                // The error to tell is the one of the write.
                let _ = fs::remove_file(temporary(&self.directory, name));
            }
            return Err(error);
        }
        let rename = |(name, _): &(&str, Vec<u8>)| {
            let path = self.directory.join(name);
            fs::rename(temporary(&self.directory, name), &path).map_err(unwritable(&path))?;
            Ok(path)
        };
        self.files.iter().map(rename).collect()
    }
}

/// Writes a file to the disk itself: a rename must not overtake the contents.
fn write(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// Two runs to one directory do not share temporary files.
fn temporary(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!(".{name}.{}.partial", std::process::id()))
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> ReportError {
    let path = path.to_owned();
    move |source| ReportError::Unwritable { path, source }
}

#[cfg(test)]
mod tests {
    use super::Output;
    use std::fs;

    #[test]
    fn nothing_changes_until_all_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/results");
        let mut output = Output::create(&path).unwrap();
        fs::write(path.join("a.txt"), "old").unwrap();
        output.add("a.txt", "new");
        // Its temporary name cannot be created: the directory it names does not exist.
        output.add("missing/b.txt", "new");
        let error = output.commit().unwrap_err().to_string();
        assert!(error.contains("b.txt"), "{error}");
        assert_eq!(fs::read_to_string(path.join("a.txt")).unwrap(), "old");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);

        let mut output = Output::create(&path).unwrap();
        output.add("a.txt", "new");
        assert_eq!(output.commit().unwrap(), [path.join("a.txt")]);
        assert_eq!(fs::read_to_string(path.join("a.txt")).unwrap(), "new");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_a_file_is_refused_before_the_work() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Output::create(file.path()).unwrap_err().to_string();
        assert!(error.starts_with("cannot write"), "{error}");
    }
}
