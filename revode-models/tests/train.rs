//! The command `revode train`, as its user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;

const MEASURED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/double_pendulum.txt");

fn revode() -> Command {
    Command::new(env!("CARGO_BIN_EXE_revode"))
}

/// Trains with arguments separated by blanks, into a new directory.
fn train(arguments: &str) -> (Output, TempDir) {
    let out = tempfile::tempdir().unwrap();
    let output = revode()
        .args(["train", "double-pendulum", "--out"])
        .arg(out.path())
        .args(arguments.split_ascii_whitespace())
        .output()
        .unwrap();
    (output, out)
}

/// Trains, and returns the results' directory.
fn trained(arguments: &str) -> TempDir {
    let (output, out) = train(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    out
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap()
}

fn losses(out: &Path) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(out.join("loss.csv")).unwrap();
    assert_eq!(
        reader.headers().unwrap(),
        vec!["epoch", "loss", "accepted_steps", "rejected_steps", "gradient_error"]
    );
    let losses = reader.records().map(|record| record.unwrap()[1].parse().unwrap());
    let losses: Vec<f64> = losses.collect();
    // `f64::min` and `f64::max` drop a NaN.
    assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    losses
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The names of all files, sorted.
fn names(out: &Path) -> Vec<String> {
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(out).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_a_summary_losses_weights_and_plots() {
    let out = trained(&format!("--epochs 12 --seed 5 --data {MEASURED}"));
    assert_eq!(
        names(out.path()),
        ["loss.csv", "loss.svg", "prediction.svg", "summary.json", "weights.safetensors"]
    );
    let losses = losses(out.path());
    assert_eq!(losses.len(), 12);
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);

    let summary = summary(out.path());
    assert_eq!(summary["experiment"], "double-pendulum");
    assert_eq!(summary["method"], "bosh3");
    assert_eq!(summary["strategy"], "guarded");
    assert_eq!(summary["epochs"], 12);
    assert_eq!(summary["seed"], 5);
    assert_eq!(summary["loss"].as_f64(), losses.last().copied());
    assert_eq!(summary["best_loss"].as_f64(), Some(best));
    assert_eq!(summary["end"], "completed");
    assert!(summary["seconds"].as_f64().unwrap() > 0.0);
    // The solver lands on each of the 499 points after the first.
    assert!(summary["mean_accepted_steps"].as_f64().unwrap() >= 499.0);

    let bytes = fs::read(out.path().join("weights.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    for (name, shape) in
        [("w1", vec![10, 4]), ("b1", vec![10]), ("w2", vec![4, 10]), ("b2", vec![4])]
    {
        assert_eq!(weights.tensor(name).unwrap().shape(), shape, "{name}");
    }
    for plot in ["prediction.svg", "loss.svg"] {
        let svg = fs::read_to_string(out.path().join(plot)).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{plot}");
        assert!(!svg.contains("NaN"), "{plot}");
    }
}

#[test]
fn training_lowers_the_loss_on_simulated_data() {
    let out = trained("--epochs 60");
    let losses = losses(out.path());
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < 0.5 * losses[0], "{} to {best}", losses[0]);
    assert_eq!(summary(out.path())["data"], Value::Null);
}

#[test]
fn equal_seeds_give_equal_losses_and_others_do_not() {
    let [first, again, other] = ["--seed 1", "--seed 1", "--seed 2"]
        .map(|seed| losses(trained(&format!("--epochs 5 {seed}")).path()));
    assert_eq!(first, again);
    assert_ne!(first[0], other[0]);
}

/// A training on the measured data.
fn measured(arguments: &str) -> TempDir {
    trained(&format!("--data {MEASURED} {arguments}"))
}

/// What a training has come to: every loss with the steps of its solve, and the weights.
fn came_to(out: &Path) -> [Vec<u8>; 2] {
    ["loss.csv", "weights.safetensors"].map(|name| fs::read(out.join(name)).unwrap())
}

#[test]
fn strategies_on_one_scheme_come_to_the_same() {
    let run = |strategy: &str| measured(&format!("--epochs 30 --strategy {strategy}"));
    let guarded = run("guarded");
    for strategy in ["checkpointed", "store-all", "checkpointed --slots 4"] {
        assert_eq!(came_to(guarded.path()), came_to(run(strategy).path()), "{strategy}");
    }
    // The states of 700 steps fit in the memory.
    let plain = run("store-all --plain");
    for strategy in ["checkpointed --plain", "auto"] {
        assert_eq!(came_to(plain.path()), came_to(run(strategy).path()), "{strategy}");
    }
    // The reversal of the published pair rounds, which 30 iterations have hardly amplified: 4e-16 was
    // seen.
    let reversible = losses(run("reversible").path());
    let checkpointed = losses(run("checkpointed --lambda 0.999").path());
    assert_eq!((reversible.len(), checkpointed.len()), (30, 30));
    for (a, b) in reversible.iter().zip(&checkpointed) {
        assert!((a - b).abs() <= 1e-13 * b, "{a} {b}");
    }
    // No option is ignored: each scheme, and each coupling, takes other steps.
    let (guarded, plain) = (losses(guarded.path()), losses(plain.path()));
    let exact = losses(run("exact").path());
    let coupled = losses(run("reversible --lambda 0.99").path());
    let schemes = [guarded, plain, reversible, exact, coupled];
    for (i, a) in schemes.iter().enumerate() {
        assert!(schemes[..i].iter().all(|b| a != b), "{i}");
        // All of them are solutions of one equation, to the tolerance.
        assert!((a[0] - schemes[0][0]).abs() <= 1e-5 * a[0], "{i}: {} {}", a[0], schemes[0][0]);
    }
}

/// A training amplifies any difference, by a factor of ten an iteration where the loss spikes: noise of
/// 1e-15 in the gradient is 2e-4 of the loss after 500 iterations from seed 0. Trainings stay together
/// where their gradients are equal to the last bit, as those by guarded reversal and from stored states are.
#[test]
fn reversible_and_checkpointed_trainings_are_equal_for_500_iterations() {
    for seed in 0..3 {
        let run =
            |strategy: &str| measured(&format!("--epochs 500 --seed {seed} --strategy {strategy}"));
        let (reversible, checkpointed) = (run("guarded"), run("checkpointed"));
        assert_eq!(losses(reversible.path()).len(), 500);
        assert_eq!(came_to(reversible.path()), came_to(checkpointed.path()), "seed {seed}");
    }
}

/// Early in this training the field contracts faster than λ = 0.999 damps the pair's gap: cotangents grow with
/// it, until the reversal is no longer accurate enough.
#[test]
fn a_solve_that_fails_ends_the_training_which_is_saved() {
    let (output, out) =
        train(&format!("--data {MEASURED} --epochs 500 --seed 2 --strategy reversible"));
    assert_eq!(output.status.code(), Some(1));
    let error = error(&output);
    let done = losses(out.path()).len();
    assert!(
        error.starts_with(&format!("error: the solve of iteration {} failed", done + 1)),
        "{error}"
    );
    assert!(error.ends_with("hint: `--strategy guarded` bounds the rounding\n"), "{error}");
    let summary = summary(out.path());
    assert_eq!(summary["epochs"], done);
    assert!(
        summary["end"].as_str().unwrap().starts_with("failed: the reversal came back"),
        "{summary}"
    );
}

#[test]
fn the_summary_says_what_was_differentiated() {
    for (arguments, scheme, lambda, slots) in [
        ("auto", None, None, None),
        ("guarded", Some("guarded pair"), None, None),
        ("exact", Some("exact pair"), None, None),
        ("reversible", Some("published pair"), Some(0.999), None),
        ("reversible --lambda 0.99", Some("published pair"), Some(0.99), None),
        ("checkpointed", Some("guarded pair"), None, Some(32)),
        ("checkpointed --slots 5 --plain", Some("plain method"), None, Some(5)),
        ("checkpointed --lambda 0.99", Some("published pair"), Some(0.99), Some(32)),
        ("store-all", Some("guarded pair"), None, None),
        ("store-all --plain", Some("plain method"), None, None),
        ("store-all --lambda 1", Some("published pair"), Some(1.0), None),
    ] {
        let summary = summary(trained(&format!("--epochs 1 --strategy {arguments}")).path());
        assert_eq!(summary["strategy"], arguments.split(' ').next().unwrap());
        assert_eq!(summary["scheme"].as_str(), scheme, "{arguments}");
        assert_eq!(summary["lambda"].as_f64(), lambda, "{arguments}");
        assert_eq!(summary["slots"].as_u64(), slots, "{arguments}");
    }
}

#[test]
fn methods_and_step_control_are_chosen_by_name() {
    let out = trained("--epochs 2 --method tsit5 --rtol 1e-4 --atol 1e-4 --learning-rate 0.005");
    let adaptive = summary(out.path());
    assert_eq!((&adaptive["method"], &adaptive["rtol"]), (&"tsit5".into(), &1e-4.into()));
    assert_eq!(adaptive["learning_rate"], 0.005);
    let out = trained("--epochs 2 --method rk4 --step 0.004");
    let fixed = summary(out.path());
    assert_eq!((&fixed["step"], &fixed["rtol"]), (&0.004.into(), &Value::Null));

    let (output, _) = train("--epochs 2 --method rk4");
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("`rk4` has no error estimate"), "{}", error(&output));
}

#[test]
fn wrong_usage_exits_with_2() {
    for (arguments, message) in [
        ("--method rk5", "invalid value 'rk5'"),
        ("--lambda 1.5", "a number in (0, 1]"),
        ("--rtol -1", "a positive number"),
        ("--atol NaN", "a positive number"),
        ("--epochs 0", "0 is not in"),
        ("--slots 0", "0 is not in"),
        ("--strategy adjoint", "[possible values: auto, guarded, exact, reversible,"),
        ("--step 0.1 --rtol=1e-3", "cannot be used with"),
        // Options that the strategy does not use.
        (
            "--lambda 0.9",
            "'--lambda' cannot be used with '--strategy guarded', only with reversible,",
        ),
        ("--strategy auto --lambda=0.9", "'--lambda' cannot be used with '--strategy auto'"),
        ("--strategy exact --lambda=0.9", "'--lambda' cannot be used with '--strategy exact'"),
        (
            "--strategy reversible --plain",
            "'--plain' cannot be used with '--strategy reversible', only with checkpointed, store-all",
        ),
        (
            "--strategy store-all --slots=8",
            "'--slots' cannot be used with '--strategy store-all', only with checkpointed",
        ),
        ("--strategy store-all --plain --lambda=0.9", "cannot be used with"),
    ] {
        // An option's value may begin with a minus sign.
        let (output, out) = train(&arguments.replacen(' ', "=", 1));
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(error(&output).contains(message), "{arguments}: {}", error(&output));
        assert_eq!(names(out.path()), [""; 0]);
    }
}

#[test]
fn bad_data_is_told_in_one_line_and_nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(MEASURED).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |line: usize, replacement: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = replacement;
        lines.join("\n")
    };
    let twice = [&lines[..40], &lines[39..]].concat().join("\n");
    let cases = [
        ("number", with(7, "0 0.05 1 2 3x 4 5 6 7 8"), ":7:12: `3x` is not a number"),
        ("nan", with(9, "0 0.07 1 NaN 3 4 5 6 7 8"), ":9:10: `NaN` is not finite"),
        ("ragged", with(12, "0 0.1 1 2 3 4 5 6 7"), ":12:20: this row has 9 fields"),
        ("time", twice, ":41:3: time 0.39999961853027344 does not come after"),
        ("header", with(1, "0 0 1 2 3 4"), ":1:1: the first line must name the columns"),
        (
            "columns",
            with(1, "% o1 w1"),
            ": the header names 2 columns (o1 w1), but this experiment needs 4",
        ),
        ("short", lines[..100].join("\n"), "this experiment needs 2"),
        ("rows", lines[0].to_owned(), "no rows of data"),
        ("empty", String::new(), ":1:1: the file is empty"),
    ];
    let out = directory.path().join("results");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("summary.json"), "kept").unwrap();
    let run = |path: &PathBuf| {
        let command = ["train", "double-pendulum", "--epochs", "2", "--data"];
        revode().args(command).arg(path).arg("--out").arg(&out).output().unwrap()
    };
    for (name, text, message) in cases {
        let path = directory.path().join(name).with_extension("txt");
        fs::write(&path, text).unwrap();
        let output = run(&path);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let error = error(&output);
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{name}: {error}");
        assert!(
            error.contains(&path.display().to_string()) && error.contains(message),
            "{name}: {error}"
        );
    }
    let output = run(&directory.path().join("absent.txt"));
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("absent.txt"), "{}", error(&output));
    assert_eq!(names(&out), ["summary.json"]);
    assert_eq!(fs::read_to_string(out.join("summary.json")).unwrap(), "kept");
}

#[test]
fn methods_are_listed_with_what_was_proved() {
    let output = revode().arg("methods").output().unwrap();
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    let row = table.lines().find(|line| line.starts_with("bosh3 ")).unwrap();
    assert_eq!(row.split_ascii_whitespace().collect::<Vec<_>>()[..4], ["bosh3", "3", "2", "4"]);
    assert_eq!(table.lines().count(), 1 + revode::methods::METHODS.len());
}

/// Ctrl-C, or a batch system whose time is up, ends the training, not the results.
#[cfg(unix)]
#[test]
fn a_training_that_is_stopped_saves_what_was_reached() {
    for signal in ["-INT", "-TERM"] {
        stopped_by(signal);
    }
}

#[cfg(unix)]
fn stopped_by(signal: &str) {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    let out = tempfile::tempdir().unwrap();
    let mut child = revode()
        .args(["train", "double-pendulum", "--epochs", "100000000", "--out"])
        .arg(out.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first line is written when the interrupt is listened to; then a few iterations.
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());

    let status = child.wait().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(status.success(), "{signal}: {stderr}");
    let summary = summary(out.path());
    assert_eq!(summary["end"], "interrupted");
    assert_eq!(summary["epochs"].as_u64().unwrap(), losses(out.path()).len() as u64);
    assert_eq!(names(out.path()).len(), 5);
}
