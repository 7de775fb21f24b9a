//! What `#[tableau]` and `ode!` are to expand to (a sketch, deleted when they do).
#![allow(missing_docs)]
use revode::nalgebra::SVector;
use revode::{EmbeddedMethod, FieldVjp, Method, MethodVjp, Parameters, Real, VectorField};
use revode_runtime as revode;

/// Bogacki–Shampine 3(2).
#[derive(Debug, Clone, Copy, Default)]
pub struct Bosh3;

impl<T: Real, F: VectorField<T>> Method<T, F> for Bosh3 {
    type Stages = ::revode_runtime::support::Stages<F::State, 4>;
    #[inline]
    fn order(&self) -> u32 {
        3
    }
    fn stages(&self, _field: &F, u: &F::State) -> Self::Stages {
        Self::Stages::new(u)
    }
    #[inline]
    fn evaluations(&self, stages: &Self::Stages) -> u64 {
        stages.evaluations
    }
    #[inline]
    fn restart(&self, stages: &mut Self::Stages) {
        stages.first_known = true;
    }
    // only where FSAL
    #[inline]
    fn proceed(&self, stages: &mut Self::Stages) {
        stages.last_becomes_first();
    }

    #[inline]
    fn increment(
        &self,
        field: &F,
        t: T,
        h: T,
        u: &F::State,
        stages: &mut Self::Stages,
        psi: &mut F::State,
    ) {
        use ::revode_runtime::support::{combine, stage};
        let ha21 = h * T::from_f64(0.5);
        let ha32 = h * T::from_f64(0.75);
        let hb1 = h * T::from_f64(2.0 / 9.0);
        let hb2 = h * T::from_f64(1.0 / 3.0);
        let hb3 = h * T::from_f64(4.0 / 9.0);
        stages.first(field, t, u);
        let revode::support::Stages { k: [k1, k2, k3, _], y, evaluations, .. } = stages;
        stage(y, u, [(ha21, k1)]);
        field.eval(t + h * T::from_f64(0.5), y, k2);
        stage(y, u, [(ha32, k2)]);
        field.eval(t + h * T::from_f64(0.75), y, k3);
        combine(psi, [(hb1, k1), (hb2, k2), (hb3, k3)]);
        *evaluations += 2;
    }
}

impl<T: Real, F: VectorField<T>> EmbeddedMethod<T, F> for Bosh3 {
    #[inline]
    fn embedded_order(&self) -> u32 {
        2
    }
    #[inline]
    fn increment_with_error(
        &self,
        field: &F,
        t: T,
        h: T,
        u: &F::State,
        stages: &mut Self::Stages,
        psi: &mut F::State,
        error: &mut F::State,
    ) {
        use ::revode_runtime::support::{combine, stage};
        let he1 = h * T::from_f64(2.0 / 9.0 - 7.0 / 24.0);
        let he4 = h * T::from_f64(-1.0 / 8.0);
        self.increment(field, t, h, u, stages, psi);
        let revode::support::Stages { k: [k1, _k2, _k3, k4], y, evaluations, .. } = stages;
        // FSAL: the last stage's row is `b`, so its state is u + psi.
        stage(y, u, [(T::ONE, psi)]);
        field.eval(t + h, y, k4);
        combine(error, [(he1, k1), (he4, k4)]);
        *evaluations += 1;
    }
}

impl<T: Real, F: FieldVjp<T>> MethodVjp<T, F> for Bosh3 {
    type Taped = ::revode_runtime::support::TapedStages<F::State, F::Tape, 3>;
    fn taped(&self, field: &F, u: &F::State) -> Self::Taped {
        Self::Taped::new(field, u)
    }
    #[inline]
    fn taped_evaluations(&self, taped: &Self::Taped) -> u64 {
        taped.evaluations
    }
    #[inline]
    fn vjps(&self, taped: &Self::Taped) -> u64 {
        taped.vjps
    }

    #[inline]
    fn increment_taped(
        &self,
        field: &F,
        t: T,
        h: T,
        u: &F::State,
        taped: &mut Self::Taped,
        psi: &mut F::State,
    ) {
        use ::revode_runtime::support::{combine, stage};
        use revode::State as _;
        let ha21 = h * T::from_f64(0.5);
        let ha32 = h * T::from_f64(0.75);
        let revode::support::TapedStages {
            k: [k1, k2, k3],
            y: [y1, y2, y3],
            tape: [p1, p2, p3],
            evaluations,
            ..
        } = taped;
        y1.assign(u);
        field.eval_taped(t, y1, k1, p1);
        stage(y2, u, [(ha21, k1)]);
        field.eval_taped(t + h * T::from_f64(0.5), y2, k2, p2);
        stage(y3, u, [(ha32, k2)]);
        field.eval_taped(t + h * T::from_f64(0.75), y3, k3, p3);
        combine(
            psi,
            [
                (h * T::from_f64(2.0 / 9.0), k1),
                (h * T::from_f64(1.0 / 3.0), k2),
                (h * T::from_f64(4.0 / 9.0), k3),
            ],
        );
        *evaluations += 3;
    }

    #[inline]
    fn increment_vjp(
        &self,
        field: &F,
        t: T,
        h: T,
        taped: &mut Self::Taped,
        psi_bar: &F::State,
        u_bar: &mut F::State,
        model_bar: &mut F,
    ) {
        use ::revode_runtime::support::{add, combine};
        let ha21 = h * T::from_f64(0.5);
        let ha32 = h * T::from_f64(0.75);
        let revode::support::TapedStages {
            k: [y1_bar, y2_bar, y3_bar],
            y: [y1, y2, y3],
            tape: [p1, p2, p3],
            k_bar,
            vjps,
            ..
        } = taped;
        combine(k_bar, [(h * T::from_f64(4.0 / 9.0), psi_bar)]);
        field.vjp(t + h * T::from_f64(0.75), y3, p3, k_bar, y3_bar, model_bar);
        combine(k_bar, [(h * T::from_f64(1.0 / 3.0), psi_bar), (ha32, y3_bar)]);
        field.vjp(t + h * T::from_f64(0.5), y2, p2, k_bar, y2_bar, model_bar);
        combine(k_bar, [(h * T::from_f64(2.0 / 9.0), psi_bar), (ha21, y2_bar)]);
        field.vjp(t, y1, p1, k_bar, y1_bar, model_bar);
        add(u_bar, [y1_bar, y2_bar, y3_bar]);
        *vjps += 3;
    }
}

/// Lorenz 1963.
#[derive(Debug, Clone, PartialEq)]
pub struct Lorenz<T = f64> {
    pub sigma: T,
    pub rho: T,
    pub beta: T,
}
impl<T: Real> VectorField<T> for Lorenz<T> {
    type State = SVector<T, 3>;
    #[inline]
    fn eval(&self, _t: T, y: &Self::State, dy: &mut Self::State) {
        let (x, v, z) = (y[0], y[1], y[2]);
        dy[0] = self.sigma * (v - x);
        dy[1] = x * (self.rho - z) - v;
        dy[2] = x * v - self.beta * z;
    }
}
impl<T: Real> Parameters<T> for Lorenz<T> {
    fn names() -> &'static [&'static str] {
        &["sigma", "rho", "beta"]
    }
    fn slices(&self) -> impl Iterator<Item = &[T]> {
        use std::slice::from_ref;
        [from_ref(&self.sigma), from_ref(&self.rho), from_ref(&self.beta)].into_iter()
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        use std::slice::from_mut;
        [from_mut(&mut self.sigma), from_mut(&mut self.rho), from_mut(&mut self.beta)].into_iter()
    }
}
impl<T: Real> FieldVjp<T> for Lorenz<T> {
    type Tape = ();
    #[inline]
    fn tape(&self) {}
    #[inline]
    fn vjp(
        &self,
        _t: T,
        y: &Self::State,
        _: &mut (),
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        bar: &mut Self,
    ) -> T {
        let (x, v, z) = (y[0], y[1], y[2]);
        let (a, b, c) = (dy_bar[0], dy_bar[1], dy_bar[2]);
        let sa = self.sigma * a;
        y_bar[0] = b * (self.rho - z) + c * v - sa;
        y_bar[1] = sa - b + c * x;
        y_bar[2] = -(b * x + self.beta * c);
        bar.sigma += a * (v - x);
        bar.rho += b * x;
        bar.beta += -(c * z);
        T::ZERO
    }
}

fn main() {
    use revode::*;
    let loss = Terminal::new(|y: &SVector<f64, 3>| y.norm_squared(), |y: &SVector<f64, 3>| 2.0 * y);
    let go = |sigma: f64, y0: [f64; 3]| {
        let p = Problem::new(Lorenz { sigma, rho: 28.0, beta: 8.0 / 3.0 }, y0, 0.0..0.5);
        let s = Solver::new(Bosh3).fixed_step(0.001);
        let a = s.gradient(&p, SaveAt::end(), &loss).unwrap();
        let b = s.strategy(StoreAll.coupled(0.999)).gradient(&p, SaveAt::end(), &loss).unwrap();
        let c = s
            .strategy(Checkpointed::slots(8).coupled(0.999))
            .gradient(&p, SaveAt::end(), &loss)
            .unwrap();
        let d = s.strategy(StoreAll).gradient(&p, SaveAt::end(), &loss).unwrap();
        (a, b, c, d)
    };
    let (a, b, c, d) = go(10.0, [1.0, 1.0, 1.0]);
    println!("{a:?}\n{b:?}\n{c:?}\n{d:?}");
    let e = 1e-5;
    println!("{}", (go(10.0 + e, [1.0; 3]).0.loss - go(10.0 - e, [1.0; 3]).0.loss) / (2.0 * e));
    let p =
        Problem::new(Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 }, [1.0, 1.0, 1.0], 0.0..0.5);
    for tol in [1e-4, 1e-6, 1e-8] {
        let s = Solver::new(Bosh3).tolerance(tol, tol);
        let g = s.gradient(&p, SaveAt::every(0.1), &loss);
        println!("{g:?}");
        println!(
            "{:?}",
            s.strategy(Checkpointed::slots(8).coupled(0.999)).gradient(
                &p,
                SaveAt::every(0.1),
                &loss
            )
        );
    }
    // timing
    let p =
        Problem::new(Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 }, [1.0, 1.0, 1.0], 0.0..0.5);
    let s = Solver::new(Bosh3).fixed_step(0.0001);
    for _ in 0..3 {
        let t = std::time::Instant::now();
        for _ in 0..200 {
            std::hint::black_box(
                s.gradient(std::hint::black_box(&p), SaveAt::end(), &loss).unwrap(),
            );
        }
        let g = t.elapsed().as_secs_f64() / 200.0 / 5000.0 * 1e9;
        let t = std::time::Instant::now();
        for _ in 0..200 {
            std::hint::black_box(s.solve(std::hint::black_box(&p), SaveAt::end()).unwrap());
        }
        println!(
            "gradient {g} ns/step; forward {}",
            t.elapsed().as_secs_f64() / 200.0 / 5000.0 * 1e9
        );
    }
}
