//! A model on the interpreter.

use std::collections::BTreeMap;

use revode_codegen::field::compile;
use revode_codegen::field::model::Model;
use revode_codegen::field::program::Program;
use revode_codegen::ir::interpret::interpret;
use revode_codegen::ir::{Id, Input, Role, Shape, Sink, Target};
use revode_codegen::passes::jacobian::Jacobian;

/// A model, its programs and sizes.
pub(crate) struct Case {
    pub(crate) model: Model,
    pub(crate) program: Program,
    pub(crate) sizes: BTreeMap<String, usize>,
}

/// Inputs by role and index.
type Point = BTreeMap<Input, Vec<f64>>;

impl Case {
    pub(crate) fn new(source: &str) -> Self {
        Self::with_sizes(source, &[])
    }

    pub(crate) fn with_sizes(source: &str, sizes: &[(&str, usize)]) -> Self {
        let tokens = source.parse().expect("tokens");
        let (model, program) = compile(tokens).unwrap_or_else(|error| panic!("{source}: {error}"));
        let sizes = sizes.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        Self { model, program, sizes }
    }

    fn shapes(&self, role: Role) -> Vec<Shape> {
        match role {
            Role::Time | Role::TimeDot | Role::ValueBar => vec![Shape::Scalar],
            Role::State | Role::StateDot | Role::DerivativeBar | Role::AfterBar => {
                self.model.state_shapes()
            }
            _ => self.model.params.iter().map(|param| param.shape.clone()).collect(),
        }
    }

    /// Inputs between 0.2 and 1.2, different for each role and index, and the sides of jumps there.
    fn point(&self) -> Point {
        use Role::{DerivativeBar, Param, ParamDot, State, StateDot, Time, TimeDot};
        let mut point = Point::new();
        let mut seed = 0.37;
        for role in [Time, State, Param, DerivativeBar, TimeDot, StateDot, ParamDot] {
            for (index, shape) in self.shapes(role).iter().enumerate() {
                let mut values = Vec::new();
                for _ in 0..shape.count(&self.sizes) {
                    seed = (seed * 7.13 + 0.171_f64).fract();
                    values.push(0.2 + seed);
                }
                point.insert(Input { role, index }, values);
            }
        }
        // The sides stay what they are here, wherever differences are taken.
        for jump in &self.program.jumps {
            let values = &self.values(&[jump.argument], &point)[&jump.argument];
            let sides = values.iter().map(|x| if *x == 0.0 { 0.0 } else { x.signum() });
            point.insert(Input { role: Role::Side, index: jump.first }, sides.collect());
        }
        point
    }

    fn values(&self, ids: &[Id], point: &Point) -> BTreeMap<Id, Vec<f64>> {
        interpret(&self.program.graph, ids, &self.sizes, |input| point[&input].clone())
    }

    fn sinks(&self, sinks: &[Sink], point: &Point) -> Vec<Vec<f64>> {
        let ids: Vec<Id> = sinks.iter().map(|sink| sink.value).collect();
        let values = self.values(&ids, point);
        ids.iter().map(|id| values[id].clone()).collect()
    }

    /// ⟨v, J u⟩ by the JVP and by the VJP, J u by finite differences, and the Jacobian's columns.
    pub(crate) fn check(&self) {
        let point = self.point();
        let jvp = self.sinks(&self.program.jvp, &point);
        let mut forward = 0.0;
        let mut size = 0.0;
        for (index, dot) in jvp.iter().enumerate() {
            let bars = &point[&Input { role: Role::DerivativeBar, index }];
            assert_eq!(bars.len(), dot.len());
            for (bar, dot) in bars.iter().zip(dot) {
                forward += bar * dot;
                size += (bar * dot).abs();
            }
        }
        let mut reverse = 0.0;
        let bars = self.sinks(&self.program.vjp, &point);
        for (sink, bar) in self.program.vjp.iter().zip(&bars) {
            let (input, offset) = match &sink.target {
                Target::State(index) => (Input { role: Role::StateDot, index: *index }, 0),
                Target::Param { index, offset, .. } => {
                    (Input { role: Role::ParamDot, index: *index }, offset.value(&self.sizes))
                }
                Target::Return => (Input { role: Role::TimeDot, index: 0 }, 0),
                Target::Switch(_) | Target::Side(_) | Target::Component(..) => {
                    unreachable!("a product writes none")
                }
            };
            let sign = match sink.target {
                Target::Param { negative: true, .. } => -1.0,
                _ => 1.0,
            };
            for (bar, dot) in bar.iter().zip(&point[&input][offset..]) {
                reverse += sign * bar * dot;
                size += (bar * dot).abs();
            }
        }
        // Both are sums of the same numbers in another order: a few hundred roundings.
        assert!(
            (forward - reverse).abs() <= 1e-12 * size.max(1.0),
            "forward {forward}, reverse {reverse}"
        );
        self.check_differences(&point, &jvp);
        self.check_jacobian(&point);
    }

    fn check_differences(&self, point: &Point, jvp: &[Vec<f64>]) {
        let shifted = |h: f64| {
            let mut shifted = point.clone();
            for (from, to) in [
                (Role::TimeDot, Role::Time),
                (Role::StateDot, Role::State),
                (Role::ParamDot, Role::Param),
            ] {
                for (input, dot) in point.iter().filter(|(input, _)| input.role == from) {
                    let values = shifted.get_mut(&Input { role: to, index: input.index });
                    let values = values.expect("each has a tangent");
                    assert_eq!(values.len(), dot.len());
                    for (x, dot) in values.iter_mut().zip(dot) {
                        *x += h * dot;
                    }
                }
            }
            self.sinks(&self.program.eval, &shifted)
        };
        // A field can vary within 1e-5: the step size is the one that shows the smallest error.
        let sizes = [1e-5, 1e-6, 1e-7, 1e-8];
        let at = sizes.map(|h| [-2.0, -1.0, 1.0, 2.0].map(|k| shifted(k * h)));
        for (state, dots) in jvp.iter().enumerate() {
            for (i, dot) in dots.iter().enumerate() {
                let f = |size: usize, k: usize| at[size][k][state][i];
                let near = |size: usize| (f(size, 2) - f(size, 1)) / (2.0 * sizes[size]);
                let far = |size: usize| (f(size, 3) - f(size, 0)) / (4.0 * sizes[size]);
                // Central differences err by h² f‴/6 and four times that: their difference shows how much. Rounding
                // adds ε f/h, and more where numbers cancel within the field: with small steps it is what the
                // difference consists of.
                let noise = |size: usize| (near(size) - far(size)).abs() * sizes[size];
                let noise = noise(2).max(noise(3));
                let estimates = [0, 1, 2, 3].map(|size| {
                    let (near, far, h) = (near(size), far(size), sizes[size]);
                    let rounding = (1e-14 * (1.0 + f(size, 2).abs()) + noise) / h;
                    (near + (near - far) / 3.0, (near - far).abs() + rounding + 1e-9 * near.abs())
                });
                // Two sizes that agree by chance do not agree with a third.
                let best = estimates.windows(2).map(|pair| {
                    let [(expected, error), (finer, finer_error)] = [pair[0], pair[1]];
                    let apart = ((expected - finer).abs() - finer_error).max(0.0);
                    (expected, error + apart)
                });
                let (expected, tolerance) = best.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
                assert!(
                    (dot - expected).abs() <= tolerance,
                    "{dot}, by differences {expected} ± {tolerance}"
                );
            }
        }
    }

    /// The Jacobian times a vector is the JVP with only that tangent.
    fn check_jacobian(&self, point: &Point) {
        let mut along = point.clone();
        for (input, values) in &mut along {
            if matches!(input.role, Role::TimeDot | Role::ParamDot) {
                values.fill(0.0);
            }
        }
        let expected = self.sinks(&self.program.jvp, &along);
        let mut found: Vec<Vec<f64>> = expected.iter().map(|v| vec![0.0; v.len()]).collect();
        match &self.program.jacobian {
            Jacobian::Entries(entries) => {
                for (row, column, id) in entries {
                    let tangent = along[&Input { role: Role::StateDot, index: *column }][0];
                    found[*row][0] += self.values(&[*id], point)[id][0] * tangent;
                }
            }
            Jacobian::Column(sinks) => found = self.sinks(sinks, &along),
        }
        let lengths = |lists: &[Vec<f64>]| lists.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&found), lengths(&expected));
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!(
                (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
                "{found}, {expected}"
            );
        }
    }
}
