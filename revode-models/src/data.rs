//! Measured time series: the file format, and resampling.

use std::path::{Path, PathBuf};

/// A recording of one or more trials.
///
/// The format is that of the data that accompanies Schmidt and Lipson, *Distilling Free-Form
/// Natural Laws from Experimental Data*, Science 324 (2009):
///
/// ```text
/// % o1 o2 w1 w2
/// 0 0.00 -1.13 -1.30 -0.53 -6.15
/// 0 0.01 -1.13 -1.35 -0.08 -5.98
/// ```
///
/// The first line names the columns of the state. A row holds the number of its trial, the time, the
/// state, and perhaps further columns that are derived from it. Fields are separated by any number of
/// blanks, which is why no CSV reader fits. Times increase within a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    path: PathBuf,
    /// The names of the columns of the state.
    pub columns: Vec<String>,
    /// The trials, in the order of the file; at least one.
    pub trials: Vec<Trial>,
}

/// One trial of a [`Recording`]; at least one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The number that the file gives it.
    pub number: f64,
    /// The times, increasing.
    pub times: Vec<f64>,
    /// All columns after the time, one row for each time.
    pub rows: Vec<Vec<f64>>,
}

/// What is wrong with a data file.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a recording.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The byte in the line, from 1.
        column: usize,
        /// What is wrong and what it should be.
        problem: String,
    },
    /// The recording does not hold what an experiment needs.
    #[error("{}: {problem}", path.display())]
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// What is missing.
        problem: String,
    },
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// [`DataError`] where there is no such file, or with the line and column of the first thing in
    /// it that is wrong: a bad or infinite number, a ragged row, a time that does not increase.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Unreadable { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(unreadable)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(path, text),
            Err(error) => {
                let lines: Vec<&[u8]> =
                    bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').collect();
                let (line, column) = (lines.len(), lines[lines.len() - 1].len() + 1);
                let problem = "this is not text in UTF-8".to_owned();
                Err(DataError::Malformed { path: path.to_owned(), line, column, problem })
            }
        }
    }

    /// Reads `text`, the contents of the file `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, text: &str) -> Result<Self, DataError> {
        let malformed = |line, (column, problem): Fault| DataError::Malformed {
            path: path.to_owned(),
            line,
            column,
            problem,
        };
        let mut lines = text.lines().zip(1..);
        let (header, _) =
            lines.next().ok_or_else(|| malformed(1, (1, "the file is empty".into())))?;
        let columns = parse_header(header).map_err(|fault| malformed(1, fault))?;
        let mut recording = Self { path: path.to_owned(), columns, trials: Vec::new() };
        let mut last = 1;
        for (text, line) in lines.filter(|(text, _)| !text.trim_ascii().is_empty()) {
            recording.push(text).map_err(|fault| malformed(line, fault))?;
            last = line;
        }
        if recording.trials.is_empty() {
            return Err(malformed(last, (1, "no rows of data follow the header".into())));
        }
        Ok(recording)
    }

    /// A recording of one trial that comes from no file; errors call it `name`.
    pub fn of_trial(name: &str, columns: Vec<String>, trial: Trial) -> Self {
        Self { path: name.into(), columns, trials: vec![trial] }
    }

    /// The first `N` columns of the first trial, shifted to start at time 0, divided by `scale` and
    /// interpolated linearly to `times`, which increase from 0.
    ///
    /// # Errors
    /// [`DataError::Unsuitable`] where there are fewer columns or the trial ends too early.
    pub fn resample<const N: usize>(
        &self,
        scale: f64,
        times: &[f64],
    ) -> Result<Vec<[f64; N]>, DataError> {
        let unsuitable = |problem| DataError::Unsuitable { path: self.path.clone(), problem };
        if self.columns.len() < N {
            let problem = format!(
                "the header names {} columns ({}), but this experiment needs {N}",
                self.columns.len(),
                self.columns.join(" ")
            );
            return Err(unsuitable(problem));
        }
        let recorded = self
            .trials
            .first()
            .and_then(|trial| Some((trial, *trial.times.first()?, *trial.times.last()?)));
        let (trial, start, end) =
            recorded.ok_or_else(|| unsuitable("there are no rows of data".to_owned()))?;
        let (length, wanted) = (end - start, times.last().copied().unwrap_or(0.0));
        if length < wanted {
            let problem = format!(
                "trial {} lasts {length} seconds, but this experiment needs {wanted}",
                trial.number
            );
            return Err(unsuitable(problem));
        }
        let at = |t: f64| {
            // The segment that holds `t`: its end is the first time at or after it.
            let end = trial.times.partition_point(|time| time - start < t).max(1);
            let end = end.min(trial.times.len() - 1);
            let begin = end.saturating_sub(1);
            let width = trial.times[end] - trial.times[begin];
            let fraction =
                if width > 0.0 { (t - (trial.times[begin] - start)) / width } else { 0.0 };
            let (left, right) = (&trial.rows[begin], &trial.rows[end]);
            std::array::from_fn(|i| (left[i] + fraction * (right[i] - left[i])) / scale)
        };
        Ok(times.iter().map(|t| at(*t)).collect())
    }

    /// Adds a row.
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        let names = self.columns.len();
        let mut fields = Vec::with_capacity(names + 2);
        for (column, token) in tokens(text) {
            fields.push((column, number(column, token)?));
        }
        let width = self.trials.first().map_or(fields.len(), |trial| trial.rows[0].len() + 2);
        let end = text.trim_ascii_end().len() + 1;
        if fields.len() < names + 2 {
            let problem = format!(
                "this row has {} fields; a trial, a time and {names} columns are {}",
                fields.len(),
                names + 2
            );
            return Err((end, problem));
        }
        if fields.len() != width {
            let problem =
                format!("this row has {} fields, the rows before it {width}", fields.len());
            return Err((fields.get(width).map_or(end, |field| field.0), problem));
        }
        let ((column, trial), (time_column, time)) = (fields[0], fields[1]);
        let row = fields[2..].iter().map(|field| field.1).collect();
        let ended = self.trials.split_last().is_some_and(|(last, earlier)| {
            last.number != trial && earlier.iter().any(|earlier| earlier.number == trial)
        });
        if ended {
            return Err((column, format!("trial {trial} has ended earlier in the file")));
        }
        match self.trials.last_mut() {
            Some(last) if last.number == trial => {
                let before = last.times[last.times.len() - 1];
                if time <= before {
                    let problem =
                        format!("time {time} does not come after {before}, the row before");
                    return Err((time_column, problem));
                }
                last.times.push(time);
                last.rows.push(row);
            }
            _ => self.trials.push(Trial { number: trial, times: vec![time], rows: vec![row] }),
        }
        Ok(())
    }
}

/// A column, and what is wrong there.
type Fault = (usize, String);

fn parse_header(line: &str) -> Result<Vec<String>, Fault> {
    let names = line.strip_prefix('%').ok_or_else(|| {
        let problem = "the first line must name the columns of the state, like `% o1 o2 w1 w2`";
        (1, problem.to_owned())
    })?;
    let names: Vec<String> = names.split_ascii_whitespace().map(str::to_owned).collect();
    if names.is_empty() {
        return Err((2, "the first line names no columns".to_owned()));
    }
    Ok(names)
}

/// The fields of a line, each with its column from 1.
fn tokens(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = line.as_ptr().addr();
    line.split_ascii_whitespace().map(move |token| (token.as_ptr().addr() - start + 1, token))
}

fn number(column: usize, token: &str) -> Result<f64, Fault> {
    let value: f64 = token.parse().map_err(|_| (column, format!("`{token}` is not a number")))?;
    if value.is_finite() { Ok(value) } else { Err((column, format!("`{token}` is not finite"))) }
}

#[cfg(test)]
mod tests {
    use super::Recording;
    use std::path::Path;

    fn parse(text: &str) -> Result<Recording, String> {
        Recording::parse(Path::new("file.txt"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn blanks_line_ends_and_derived_columns_do_not_matter() {
        let text = "% x v\r\n 0  0.5  1  2  9\r\n\r\n0 1e0 -3 4 9\r\n1 0 5 6 9\r\n";
        let recording = parse(text).unwrap();
        assert_eq!(recording.columns, ["x", "v"]);
        assert_eq!(recording.trials.len(), 2);
        assert_eq!(recording.trials[0].times, [0.5, 1.0]);
        assert_eq!(recording.trials[0].rows, [[1.0, 2.0, 9.0], [-3.0, 4.0, 9.0]]);
        assert_eq!(recording.trials[1].rows, [[5.0, 6.0, 9.0]]);
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let cases = [
            ("", "file.txt:1:1: the file is empty"),
            ("0 0 1\n", "file.txt:1:1: the first line must name"),
            ("%\n0 0 1\n", "file.txt:1:2: the first line names no columns"),
            ("% x\n\n", "file.txt:1:1: no rows of data"),
            ("% x\n0 0 1\n0 1 1,5\n", "file.txt:3:5: `1,5` is not a number"),
            ("% x\n0 0 1\n0  1 NaN\n", "file.txt:3:6: `NaN` is not finite"),
            ("% x\n0 0 1\n0 1 -inf\n", "file.txt:3:5: `-inf` is not finite"),
            ("% x v\n0 0 1\n", "file.txt:2:6: this row has 3 fields; a trial, a time and 2"),
            ("% x\n0 0 1 7\n0 1 1\n", "file.txt:3:6: this row has 3 fields, the rows before it 4"),
            ("% x\n0 0 1\n0 1 1 7\n", "file.txt:3:7: this row has 4 fields, the rows before it 3"),
            ("% x\n0 0 1\n0 1 1\n0 1 2\n", "file.txt:4:3: time 1 does not come after 1"),
            ("% x\n0 0 1\n1 0 1\n0 1 1\n", "file.txt:4:1: trial 0 has ended earlier"),
        ];
        for (text, expected) in cases {
            let found = parse(text).unwrap_err();
            assert!(found.starts_with(expected), "{text:?}: {found}");
        }
    }

    #[test]
    fn resampling_is_linear_from_the_first_time() {
        let recording = parse("% x v\n0 5 0 10\n0 6 2 20\n0 8 -2 30\n1 0 7 7\n").unwrap();
        let found = recording.resample::<2>(10.0, &[0.0, 0.5, 1.0, 2.5, 3.0]).unwrap();
        let expected = [[0.0, 1.0], [0.1, 1.5], [0.2, 2.0], [-0.1, 2.75], [-0.2, 3.0]];
        for (found, expected) in found.iter().zip(expected) {
            for (found, expected) in found.iter().zip(expected) {
                // A handful of roundings of numbers up to 3.
                assert!((found - expected).abs() < 4e-15, "{found} {expected}");
            }
        }
    }

    #[test]
    fn what_does_not_suffice_is_named() {
        let recording = parse("% x\n3 0 1\n3 1 1\n").unwrap();
        let error = recording.resample::<1>(1.0, &[0.0, 2.0]).unwrap_err().to_string();
        assert_eq!(error, "file.txt: trial 3 lasts 1 seconds, but this experiment needs 2");
        let error = recording.resample::<4>(1.0, &[0.0]).unwrap_err().to_string();
        assert_eq!(error, "file.txt: the header names 1 columns (x), but this experiment needs 4");
    }
}
