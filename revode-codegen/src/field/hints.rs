//! What was probably meant by a name that does not exist.

use crate::functions::{FUNCTIONS, STRUCTURAL};

/// Functions of other languages, and how they are written here. A similar name of ours may mean
/// something else (`log` is not `log1p`), so that these come first.
const FUNCTIONS_ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["log", "loge", "log_e", "logn"],
        "the natural logarithm is `ln(x)`, those to base 2 and 10 are `log2(x)` and `log10(x)`",
    ),
    (&["ld", "lb"], "the logarithm to base 2 is `log2(x)`"),
    (&["lg"], "the logarithms to base 2 and 10 are `log2(x)` and `log10(x)`"),
    (&["ln_1p", "ln1p", "log_1p"], "it is `log1p(x)` here"),
    (&["exp_m1", "exp1m"], "it is `expm1(x)` here"),
    (&["exp2"], "write `2 ^ x`"),
    (&["exp10"], "write `10 ^ x`"),
    (&["pow2"], "write `x ^ 2` or `2 ^ x`"),
    (&["sqr", "square"], "write `x ^ 2`"),
    (&["power", "powf", "powi", "powr"], "write `x ^ n` or `pow(x, n)`"),
    (&["rsqrt"], "write `1 / sqrt(x)`"),
    (&["reciprocal"], "write `1 / x`"),
    (&["arcsin"], "it is `asin(x)` here"),
    (&["arccos"], "it is `acos(x)` here"),
    (&["arctan"], "it is `atan(x)` here"),
    (&["arctan2", "arg", "angle"], "it is `atan2(y, x)` here"),
    (&["cot", "ctg"], "write `1 / tan(x)`"),
    (&["sec"], "write `1 / cos(x)`"),
    (&["csc"], "write `1 / sin(x)`"),
    (&["tg"], "it is `tan(x)` here"),
    (&["sech"], "write `1 / cosh(x)`"),
    (&["csch"], "write `1 / sinh(x)`"),
    (&["coth"], "write `1 / tanh(x)`"),
    (&["asinh", "arcsinh", "arsinh"], "write `ln(x + sqrt(x^2 + 1))`"),
    (&["acosh", "arccosh", "arcosh"], "write `ln(x + sqrt(x^2 - 1))`"),
    (&["atanh", "arctanh", "artanh"], "write `(log1p(x) - log1p(-x)) / 2`"),
    (&["sind", "cosd", "tand"], "angles are in radians: write `x * pi / 180`"),
    (&["radians", "deg2rad"], "write `x * pi / 180`"),
    (&["degrees", "rad2deg"], "write `x * 180 / pi`"),
    (&["sinc"], "write `sin(x) / x`"),
    (&["erfc"], "write `1 - erf(x)`"),
    (&["fabs", "absolute"], "it is `abs(x)` here"),
    (&["sgn", "sign"], "it is `signum(x)` here"),
    (&["fmin", "minimum", "amin"], "it is `min(a, b)` here"),
    (&["fmax", "maximum", "amax"], "it is `max(a, b)` here"),
    (&["clip", "clamp"], "write `min(max(x, low), high)`"),
    (&["sigm", "logistic", "expit"], "it is `sigmoid(x)` here"),
    (&["swish"], "it is `silu(x)` here"),
    (&["norm", "norm_2"], "it is `norm2(u)` here"),
    (&["inner", "vdot"], "it is `dot(u, v)` here"),
    (&["matmul", "mm", "mv"], "a product of matrices and vectors is written `a @ b`"),
    (&["vcat", "hstack", "cat", "concatenate"], "it is `concat(u, v)` here"),
    (&["trans", "adjoint", "transp"], "it is `transpose(w)` here"),
    (
        &["step", "theta", "unit_step", "unitstep", "stepfun"],
        "it is `heaviside(x)` here; `sigmoid(k * x)` with a large `k` is a smooth step",
    ),
    (
        &["floor", "ceil", "round", "trunc", "mod", "fmod", "rem"],
        "functions with jumps are not available",
    ),
];

/// Values of other languages, and how they are written here.
const VALUES_ELSEWHERE: &[(&[&str], &str)] = &[
    (&["PI", "Pi", "M_PI", "π"], "it is `pi` here"),
    (&["M_E"], "it is `e` here"),
    (&["tau", "TAU"], "write `2 * pi`, or declare it"),
    (&["time"], "the time is `t`"),
];

/// Statements of other languages for what happens at a time or where a condition is met.
const STATEMENTS_ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["event", "events", "when", "if", "on", "callback", "while", "until", "root", "trigger"],
        "what happens where a function reaches 0 is written \
         `event name = x - limit, rising { x = 0; }`, behind the equations",
    ),
    (
        &["at", "dose", "doses", "bolus", "schedule", "every", "after"],
        "what happens at a time is written `at (time) { x += dose; }`, behind the equations",
    ),
    (
        &["stop", "terminate", "end", "terminal"],
        "a solve is ended by `event name = x - limit, terminal;`",
    ),
    (&["for"], "`for i in 0..n` stands behind an `event` or `at`, before its block"),
];

/// What to write instead of a statement or section that begins with a word which is none here.
pub(super) fn statement(word: &str) -> Option<&'static str> {
    let (_, hint) = STATEMENTS_ELSEWHERE.iter().find(|(words, _)| words.contains(&word))?;
    Some(hint)
}

/// What to write instead of an unknown function.
pub(super) fn function(name: &str) -> String {
    // `Sin` is `sin`, not `min`.
    let name = name.to_lowercase();
    elsewhere(FUNCTIONS_ELSEWHERE, &name).unwrap_or_else(|| {
        let all = FUNCTIONS.iter().map(|function| function.name).chain(STRUCTURAL);
        suggestion(&name, all.map(str::to_owned))
    })
}

/// What to write instead of an unknown value, where `declared` are the names of the model.
pub(super) fn value(name: &str, declared: impl Iterator<Item = String>) -> String {
    elsewhere(VALUES_ELSEWHERE, name).unwrap_or_else(|| suggestion(name, declared))
}

/// What to write instead of a member of a module or a method.
pub(super) fn member(of: &str, name: &str) -> String {
    const MODULES: [&str; 9] = ["math", "np", "numpy", "jnp", "torch", "Math", "std", "f64", "f32"];
    if MODULES.contains(&of) {
        let name = if name == "PI" || name == "E" { name.to_lowercase() } else { name.to_owned() };
        format!("functions and constants have no module here: write `{name}`")
    } else {
        format!("there are no fields and methods here: write `{name}({of})` for a function")
    }
}

fn elsewhere(table: &[(&[&str], &str)], name: &str) -> Option<String> {
    let (_, hint) = table.iter().find(|(names, _)| names.contains(&name))?;
    Some(format!("; {hint}"))
}

/// `; did you mean …?`, if there is a similar name.
pub(super) fn suggestion(name: &str, candidates: impl Iterator<Item = String>) -> String {
    candidates
        .map(|candidate| (distance(name, &candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .filter(|(distance, candidate)| *distance < candidate.len())
        .min()
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean `{candidate}`?"))
}

/// The number of insertions, deletions and replacements between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that exists needs no hint, and a hint names something that exists.
    #[test]
    fn hints_are_about_other_names() {
        let is_ours = |name: &str| {
            FUNCTIONS.iter().any(|function| function.name == name) || STRUCTURAL.contains(&name)
        };
        for (names, hint) in FUNCTIONS_ELSEWHERE {
            for name in *names {
                assert!(!is_ours(name), "`{name}` exists");
                assert_eq!(*name, name.to_lowercase(), "names are compared in lower case");
            }
            for code in hint.split('`').skip(1).step_by(2) {
                for (call, _) in code.match_indices('(') {
                    let before = &code[..call];
                    let start = before.rfind(|c: char| !c.is_alphanumeric()).map_or(0, |k| k + 1);
                    let called = &before[start..];
                    assert!(called.is_empty() || is_ours(called), "`{called}` in the hint {hint}");
                }
            }
        }
    }

    #[test]
    fn other_languages_come_before_similar_names() {
        assert!(function("log").contains("`ln(x)`"));
        assert!(function("sinc").contains("`sin(x) / x`"));
        assert!(function("Log").contains("`ln(x)`"));
        assert_eq!(function("sinn"), "; did you mean `sin`?");
        assert_eq!(function("Sin"), "; did you mean `sin`?");
        let declared = || ["alpha".to_owned()].into_iter();
        assert_eq!(value("PI", declared()), "; it is `pi` here");
        assert_eq!(value("alhpa", declared()), "; did you mean `alpha`?");
    }
}
