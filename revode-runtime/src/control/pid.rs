//! The PID controller of the step size.

use super::{Decision, StepSizeController};
use crate::error::Readable;
use crate::{Real, SolveError};

/// Proportional–integral–derivative control of the step size.
///
/// With `ε_n` the error of step `n` in units of the tolerance and `k` the order of the error
/// estimate plus one,
///
/// ```text
/// h_{n+1} = h_n · clamp(safety · ε_n^{−β1/k} · ε_{n−1}^{−β2/k} · ε_{n−2}^{−β3/k})
/// β1 = p + i + d,   β2 = −(p + 2 d),   β3 = d
/// ```
///
/// This is the form of Söderlind, *Digital filters in adaptive time-stepping*, ACM TOMS 29 (2003),
/// with gains for each of the three terms, as diffrax has it. Its rivals in the literature:
///
/// * elementary control, `i = 1` alone ([`Pid::i`]): Hairer, Nørsett and Wanner, (II.4.13);
/// * Gustafsson's PI control (ACM TOMS 17, 1991), `p = 0.4, i = 0.3` ([`Pid::pi`]), which Hairer and
///   Wanner write with `β = 0.04`, that is `p = 0.2, i = 0.8` for order five: smoother, and fewer
///   rejections where stability limits the step;
/// * H211 and the other digital filters of Söderlind, which also weight the past step-size ratio:
///   left out, as their gain is regularity of the steps that nothing here needs.
///
/// The default is elementary control: on Lorenz 1963 over [0, 10] with Tsit5 at 1e-8 it takes 737 steps and
/// rejects 9, where PI and PID take 946 and 944 and reject 1 (`cargo bench --bench step` prints the counts).
///
/// After a rejection the integral term alone decides, and the step does not grow. A step whose
/// error is not finite is rejected with the smallest factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pid {
    /// Gain of the proportional term.
    pub proportional: f64,
    /// Gain of the integral term.
    pub integral: f64,
    /// Gain of the derivative term.
    pub derivative: f64,
    /// The factor that keeps the next step safely acceptable, in (0, 1].
    pub safety: f64,
    /// The smallest factor between two step sizes, in (0, 1).
    pub factor_min: f64,
    /// The largest factor between two step sizes, above 1.
    pub factor_max: f64,
}

impl Pid {
    /// Elementary control: the integral term alone.
    pub const fn i() -> Self {
        Self {
            proportional: 0.0,
            integral: 1.0,
            derivative: 0.0,
            safety: 0.9,
            factor_min: 0.2,
            factor_max: 10.0,
        }
    }

    /// Gustafsson's PI control.
    pub const fn pi() -> Self {
        Self { proportional: 0.4, integral: 0.3, ..Self::i() }
    }

    /// PID control, `p = 0.2, i = 0.3, d = 0.1`.
    #[expect(clippy::self_named_constructors, reason = "i, pi and pid are the field's names")]
    pub const fn pid() -> Self {
        Self { proportional: 0.2, integral: 0.3, derivative: 0.1, ..Self::i() }
    }
}

impl Default for Pid {
    fn default() -> Self {
        Self::i()
    }
}

/// Logarithms of the errors of the last two accepted steps, in units of the tolerance.
#[derive(Debug, Clone, Copy, Default)]
pub struct PidMemory {
    last: f64,
    before_last: f64,
}

impl StepSizeController for Pid {
    type Memory = PidMemory;

    fn check(&self) -> Result<(), SolveError> {
        let Self { proportional, integral, derivative, safety, factor_min, factor_max } = *self;
        let checks = [
            (integral > 0.0, "integral gain", integral, "positive"),
            (proportional.is_finite(), "proportional gain", proportional, "finite"),
            (derivative.is_finite(), "derivative gain", derivative, "finite"),
            (safety > 0.0 && safety <= 1.0, "safety factor", safety, "in (0, 1]"),
            (factor_min > 0.0 && factor_min < 1.0, "smallest factor", factor_min, "in (0, 1)"),
            (factor_max > 1.0 && factor_max.is_finite(), "largest factor", factor_max, "above 1"),
        ];
        for (holds, name, value, wanted) in checks {
            if !holds {
                let problem = format!("the {name} is {}; it must be {wanted}", Readable(value));
                return Err(SolveError::argument("controller", problem));
            }
        }
        Ok(())
    }

    #[inline]
    fn decide(&self, memory: &mut PidMemory, error: f64, exponent: f64) -> Decision {
        if !error.is_finite() {
            return Decision::Reject(self.factor_min);
        }
        // An error of zero asks for the longest step; its logarithm must stay finite.
        let log = Real::ln(error.max(1e-300));
        let factor = |filtered: f64| self.safety * Real::exp(-filtered / exponent);
        if error > 1.0 {
            return Decision::Reject(factor(log).clamp(self.factor_min, 1.0));
        }
        let Self { proportional: p, integral: i, derivative: d, .. } = *self;
        let filtered = (p + i + d) * log - (p + 2.0 * d) * memory.last + d * memory.before_last;
        *memory = PidMemory { last: log, before_last: memory.last };
        Decision::Accept(factor(filtered).clamp(self.factor_min, self.factor_max))
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Pid, PidMemory, StepSizeController};

    fn factors(pid: Pid, errors: &[f64]) -> Vec<f64> {
        let mut memory = PidMemory::default();
        errors
            .iter()
            .map(|error| match pid.decide(&mut memory, *error, 5.0) {
                Decision::Accept(factor) => factor,
                Decision::Reject(factor) => -factor,
            })
            .collect()
    }

    #[test]
    fn elementary_control_is_the_textbook_formula() {
        let found = factors(Pid::i(), &[0.5, 0.01, 1e-30, 2.0, f64::NAN]);
        let expected =
            [0.9 * 2f64.powf(0.2), 0.9 * 100f64.powf(0.2), 10.0, -0.9 * 0.5f64.powf(0.2), -0.2];
        for (found, expected) in found.iter().zip(expected) {
            // A logarithm and an exponential, each good to 2 ulp, of arguments up to 70.
            assert!((found - expected).abs() < 1e-13 * expected.abs(), "{found} {expected}");
        }
    }

    #[test]
    fn memory_enters_with_the_gains_of_the_literature() {
        let e = [0.5_f64, 0.2, 0.7];
        let pid = Pid::pid();
        let (b1, b2, b3) = (0.6 / 5.0, -0.4 / 5.0, 0.1 / 5.0);
        let expected = 0.9 * e[2].powf(-b1) * e[1].powf(-b2) * e[0].powf(-b3);
        let found = factors(pid, &e)[2];
        assert!((found - expected).abs() < 1e-13, "{found} {expected}");
    }

    #[test]
    fn settings_are_checked_by_name() {
        let bad = Pid { safety: 1.5, ..Pid::default() };
        assert!(bad.check().unwrap_err().to_string().contains("safety factor is 1.5"));
        assert!(Pid::pi().check().is_ok() && Pid::pid().check().is_ok());
    }
}
