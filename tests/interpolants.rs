//! Interpolants of all methods: their order, their ends, and what they cost.
//!
//! The order is measured on towers ([`analytic::tower`]), whose components 1 to `p` an interpolant of order `p` finds
//! without error, and whose error in component `p + 1` after a step from an exact state is `C(θ) h^{p+1}` without
//! further terms. So steps may be long, and the slope of log error against log step is the order to three digits.

use revode::nalgebra::{SVector, Vector2};
use revode::{
    ContinuousExtension, Interpolant, Method, Step, Tableau, VectorField, for_each_method, ode,
};
use revode_testing::analytic::{self, Case, Driven, Tower, VectorTower};

/// (At the middle the error of cubic Hermite has no slope.)
const THETAS: [f64; 4] = [0.13, 0.41, 0.68, 0.93];

/// What the interpolant, or its derivative, makes of a relative error `ε` of the stages: `Σ |b_i(θ)| (1 + Σ |a_ij|)`,
/// which is 1e5 for Verner's 6(5).
fn amplification<M: Tableau>(theta: f64, is_derivative: bool) -> f64 {
    let ContinuousExtension { a, b, .. } = M::INTERPOLANT;
    let weight = |row: &[f64]| {
        let power = |(x, j): (&f64, i32)| {
            if is_derivative { f64::from(j) * x * theta.powi(j - 1) } else { x * theta.powi(j) }
        };
        row.iter().zip(1..).map(power).sum::<f64>()
    };
    let stage = |row: &[f64]| 1.0 + row.iter().map(|a| a.abs()).sum::<f64>();
    M::A.iter().chain(a).zip(b).map(|(row, b)| weight(b).abs() * stage(row)).sum()
}

type State = SVector<f64, 9>;

/// A step with its stages.
struct Taken<'f, M: Interpolant<f64, F>, F: VectorField<f64>> {
    method: M,
    field: &'f F,
    step: Step<f64>,
    u: F::State,
    psi: F::State,
    stages: M::Stages,
    extra: M::Extra,
}

impl<'f, M: Interpolant<f64, F>, F: VectorField<f64>> Taken<'f, M, F> {
    fn new(method: M, field: &'f F, step: Step<f64>, u: &F::State) -> Self {
        let (mut stages, mut extra) = (method.stages(field, u), method.extra(field, u));
        let mut psi = u.clone();
        method.increment(field, step, u, &mut stages, &mut psi).unwrap();
        method.extend(field, step, u, &mut stages, &mut extra);
        Self { method, field, step, u: u.clone(), psi, stages, extra }
    }
    fn at(&self, theta: f64) -> F::State {
        let mut y = self.u.clone();
        let Self { method, field, step, u, stages, extra, .. } = self;
        method.interpolate(field, *step, theta, u, stages, extra, &mut y);
        y
    }
    fn slope_at(&self, theta: f64) -> F::State {
        let mut dy = self.u.clone();
        self.method.derivative(self.field, theta, &self.stages, &self.extra, &mut dy);
        dy
    }
}

/// The solution of a tower and its derivative.
fn exact<F: VectorField<f64, State = State>>(case: &Case<F>, t: f64) -> (State, State) {
    let end = case.problem.t1;
    let y = State::from_fn(|k, _| case.exact[k] * (t / end).powi(k as i32 + 1));
    (y, State::from_fn(|k, _| (k + 1) as f64 * y[k] / t))
}

/// The slopes of the errors of the value and of the derivative over steps of many lengths.
fn slopes<M, F>(method: &M, case: &Case<F>, theta: f64) -> [f64; 2]
where
    M: Interpolant<f64, F> + Tableau,
    F: VectorField<f64, State = State>,
{
    // From here on all components grow, and nothing cancels.
    let (order, t) = (M::INTERPOLANT.order as usize, 0.5);
    let (u, _) = exact(case, t);
    let (mut values, mut derivatives) = (Vec::new(), Vec::new());
    for h in (0..24).map(|i| 0.25 * 2_f64.powf(0.25 * f64::from(i))) {
        let taken = Taken::new(method.clone(), &case.problem.field, Step::new(0, t, h), &u);
        let (y, dy) = exact(case, t + theta * h);
        let end = exact(case, t + h).0;
        let runs = [
            (taken.at(theta), y, 1.0, &mut values),
            (taken.slope_at(theta), dy, h, &mut derivatives),
        ];
        for ((found, wanted, per, errors), is_derivative) in runs.into_iter().zip([false, true]) {
            let amplified = amplification::<M>(theta, is_derivative).max(1.0);
            for k in 0..=order {
                let error = (found[k] - wanted[k]).abs();
                let rounding = 1e3 * f64::EPSILON * amplified * end[k].abs() / per;
                if k < order {
                    assert!(error <= rounding, "{} θ = {theta}, h = {h}, {k}: {error}", M::NAME);
                } else if error > 10.0 * rounding {
                    errors.push((h, error));
                }
            }
        }
    }
    [&values, &derivatives].map(|errors| {
        assert!(errors.len() >= 4, "{} θ = {theta}: too few runs count: {errors:?}", M::NAME);
        slope(errors)
    })
}

/// The slope of log error against log step, by least squares.
fn slope(errors: &[(f64, f64)]) -> f64 {
    let n = errors.len() as f64;
    let logs: Vec<_> = errors.iter().map(|(h, e)| (h.ln(), e.ln())).collect();
    let (x, y) = logs.iter().fold((0.0, 0.0), |(x, y), log| (x + log.0 / n, y + log.1 / n));
    let (xy, xx) = logs.iter().fold((0.0, 0.0), |(xy, xx), log| {
        (xy + (log.0 - x) * (log.1 - y), xx + (log.0 - x).powi(2))
    });
    xy / xx
}

fn shows_its_order<M>(method: &M)
where
    M: Interpolant<f64, Tower> + Interpolant<f64, Driven> + Interpolant<f64, VectorTower> + Tableau,
{
    let order = f64::from(M::INTERPOLANT.order);
    for theta in THETAS {
        let found = [
            slopes(method, &analytic::nonlinear_tower(), theta),
            slopes(method, &analytic::driven_tower(), theta),
            slopes(method, &analytic::vector_tower(), theta),
        ];
        println!("{:14} {order} θ = {theta}: {found:.3?}", M::NAME);
        for [value, derivative] in found {
            assert!((value - order - 1.0).abs() <= 0.02, "{} θ = {theta}: {found:?}", M::NAME);
            assert!((derivative - order).abs() <= 0.02, "{} θ = {theta}: {found:?}", M::NAME);
        }
    }
}

ode! {
    /// Depends on time, nonlinearly.
    struct Forced {
        state  { x, y }
        params { a, omega }
    }
    dx/dt = a * x * cos(omega * t) + sin(t * y);
    dy/dt = x^2 * t - y;
}

const FORCED: Forced<f64> = Forced { a: 0.7, omega: 1.3 };
const U: [f64; 2] = [0.8, -0.4];

/// Both ends are met to the last bit, and their derivatives where the interpolant is smooth.
fn meets_the_ends<M: Interpolant<f64, Forced> + Tableau>(method: &M) {
    let (u, step) = (Vector2::from(U), Step::new(0, 0.6, 0.15));
    let taken = Taken::new(method.clone(), &FORCED, step, &u);
    let end = u + taken.psi;
    assert_eq!(taken.at(0.0), u, "{}", M::NAME);
    assert_eq!(taken.at(1.0), end, "{}", M::NAME);
    assert_eq!(Interpolant::<f64, Forced>::is_smooth(method), M::INTERPOLANT.smoothness == 1);
    if M::INTERPOLANT.smoothness == 1 {
        let mut k = u;
        FORCED.eval(step.t, &u, &mut k);
        assert_eq!(taken.slope_at(0.0), k, "{}", M::NAME);
        FORCED.eval(step.end, &end, &mut k);
        assert_eq!(taken.slope_at(1.0), k, "{}", M::NAME);
    }
    // Between them the derivative is that of the value.
    for theta in THETAS {
        let d = 1e-5;
        let difference = (taken.at(theta + d) - taken.at(theta - d)) / (2.0 * d * step.h);
        assert!((difference - taken.slope_at(theta)).amax() <= 1e-8, "{} {theta}", M::NAME);
    }
}

/// The stages of an interpolant are evaluated when asked for, and `f(t1, y1)` is the next step's first stage.
fn costs_what_it_says<M: Interpolant<f64, Forced> + Tableau>(method: &M) {
    let (u, step) = (Vector2::from(U), Step::new(0, 0.6, 0.15));
    let (mut stages, mut extra) = (method.stages(&FORCED, &u), method.extra(&FORCED, &u));
    let mut psi = u;
    method.increment(&FORCED, step, &u, &mut stages, &mut psi).unwrap();
    let of_step = method.evaluations(&stages);
    method.extend(&FORCED, step, &u, &mut stages, &mut extra);
    let further = usize::from(M::INTERPOLANT.end_stage.is_some_and(|i| i < M::STAGES));
    let of_extension = method.evaluations(&stages) - of_step;
    assert_eq!(of_extension as usize, M::INTERPOLANT.extra_stages + further, "{}", M::NAME);

    // All of them but one are saved again.
    method.proceed_extended(&mut stages, &mut extra);
    let (next, from) = (Step::new(1, step.end, 0.1), u + psi);
    method.increment(&FORCED, next, &from, &mut stages, &mut psi).unwrap();
    let of_next = method.evaluations(&stages) - of_step - of_extension;
    assert!(M::INTERPOLANT.end_stage.is_some());
    assert_eq!(of_next, of_step - 1, "{}", M::NAME);
    let fresh = Taken::new(method.clone(), &FORCED, next, &from);
    assert_eq!(psi, fresh.psi, "{}", M::NAME);
    method.extend(&FORCED, next, &from, &mut stages, &mut extra);
    let mut y = from;
    method.interpolate(&FORCED, next, 0.3, &from, &stages, &extra, &mut y);
    assert_eq!(y, fresh.at(0.3), "{}", M::NAME);
}

/// In single precision, at the ends and between them.
fn works_in_single_precision<M>(method: &M)
where
    M: Interpolant<f32, Forced<f32>> + Interpolant<f64, Forced> + Tableau,
{
    let (u, field) = (Vector2::from(U.map(|x| x as f32)), Forced { a: 0.7_f32, omega: 1.3 });
    let step = Step::new(0, 0.6_f32, 0.15);
    let (mut stages, mut extra) = (method.stages(&field, &u), method.extra(&field, &u));
    let (mut psi, mut y) = (u, u);
    method.increment(&field, step, &u, &mut stages, &mut psi).unwrap();
    method.extend(&field, step, &u, &mut stages, &mut extra);
    method.interpolate(&field, step, 0.0, &u, &stages, &extra, &mut y);
    assert_eq!(y, u, "{}", M::NAME);
    method.interpolate(&field, step, 1.0, &u, &stages, &extra, &mut y);
    assert_eq!(y, u + psi, "{}", M::NAME);
    let double = Taken::new(method.clone(), &FORCED, Step::new(0, 0.6, 0.15), &Vector2::from(U));
    for theta in THETAS {
        method.interpolate(&field, step, theta as f32, &u, &stages, &extra, &mut y);
        let off = (y.cast::<f64>() - double.at(theta)).amax();
        // Verner's 6(5) has weights near 200 that cancel.
        assert!(off <= 2e-5, "{} θ = {theta}: {off}", M::NAME);
    }
}

macro_rules! tests {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $(#[test]
        fn $name() {
            let method = revode::methods::$Method;
            shows_its_order(&method);
            meets_the_ends(&method);
            costs_what_it_says(&method);
            works_in_single_precision(&method);
        })*

        /// After an increment with an error estimate the same values, and no stage is evaluated twice.
        #[test]
        fn stages_of_the_error_estimate_are_used() {
            $(tests!(@$kind $Method);)*
        }
    };
    (@fixed $Method:ident) => {};
    (@adaptive $Method:ident) => {{
        use revode::EmbeddedMethod as _;
        let method = revode::methods::$Method;
        let (u, step) = (Vector2::from(U), Step::new(0, 0.6, 0.15));
        let (mut stages, mut extra) = (method.stages(&FORCED, &u), method.extra(&FORCED, &u));
        let (mut psi, mut error) = (u, u);
        method
            .increment_with_error(&FORCED, step, &u, &mut stages, &mut psi, &mut error)
            .unwrap();
        let before = Method::<f64, Forced>::evaluations(&method, &stages);
        method.extend(&FORCED, step, &u, &mut stages, &mut extra);
        let further = Method::<f64, Forced>::evaluations(&method, &stages) - before;
        assert_eq!(further as usize, revode::methods::$Method::INTERPOLANT.extra_stages);
        let mut y = u;
        method.interpolate(&FORCED, step, 0.3, &u, &stages, &extra, &mut y);
        assert_eq!(y, Taken::new(method, &FORCED, step, &u).at(0.3));
    }};
}

for_each_method!(tests);
