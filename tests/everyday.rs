//! What a program does every day, written as one would like to write it.

use revode::prelude::*;

ode! {
    struct Decay {
        state  { y }
        params { k }
    }
    dy/dt = -k * y;
}

ode! {
    /// Entries of a matrix that decay, each at its own rate.
    struct Sheet {
        state  { m: [2, 3] }
        params { k: [2, 3] }
    }
    dm/dt = -k * m;
}

ode! {
    struct Heap {
        dims   { n }
        state  { m: [n, 2] }
        params { k: [n, 2] }
    }
    dm/dt = -k * m;
}

fn solver() -> Solver<Tsit5> {
    Solver::new(Tsit5).tolerance(1e-9, 1e-9)
}

#[test]
fn save_times_come_from_a_vector_that_is_used_again() {
    let problem = Problem::new(Decay { k: 1.0 }, [1.0], 0.0..3.0);
    let times: Vec<f64> = (1..=30).map(|i| 0.1 * f64::from(i)).collect();
    // 0.1 · 30 is 3.0000000000000004.
    let path = solver().solve(&problem, SaveAt::times(&times)).unwrap();
    assert_eq!((path.t.len(), path.t[29]), (times.len(), 3.0));
    assert!((path.y[29][0] - (-3.0_f64).exp()).abs() < 1e-8);
}

#[test]
fn a_problem_goes_on_where_a_solve_has_ended() {
    let problem = Problem::new(Decay { k: 0.5 }, [2.0], 0.0..1.0);
    let path = solver().solve(&problem, SaveAt::steps()).unwrap();
    let next = problem.restart(path.y.last().unwrap(), problem.t1..2.0);
    assert_eq!((next.t0, next.t1, next.field.k), (1.0, 2.0, 0.5));
    let end = solver().solve(&next, SaveAt::end()).unwrap();
    assert!((end.y[0][0] - 2.0 * (-1.0_f64).exp()).abs() < 1e-8);
    // From anything that a problem can start from, backward too.
    let back = problem.restart([1.0], 1.0..0.0);
    assert!((solver().solve(&back, SaveAt::end()).unwrap().y[0][0] - 0.5_f64.exp()).abs() < 1e-8);
}

#[test]
fn states_of_matrices_start_from_matrices() {
    let k = SMatrix::<f64, 2, 3>::new(0.1, 0.2, 0.3, 0.4, 0.5, 0.6);
    let start = SMatrix::<f64, 2, 3>::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
    let problem = Problem::new(Sheet { k }, start, 0.0..1.0);
    let path = solver().solve(&problem, SaveAt::end()).unwrap();
    let end = SMatrix::<f64, 2, 3>::from_column_slice(path.y[0].as_slice());
    let exact = start.zip_map(&k, |m, k| m * (-k).exp());
    assert!((end - exact).abs().max() < 1e-7, "{end} {exact}");

    let mut heap = Heap::zeros(3);
    heap.k.fill(0.5);
    let start = DMatrix::from_fn(3, 2, |i, j| (i + 3 * j) as f64);
    let problem = Problem::new(heap.clone(), start.clone(), 0.0..1.0);
    let path = solver().solve(&problem, SaveAt::end()).unwrap();
    let exact = (-0.5_f64).exp() * DVector::from_column_slice(start.as_slice());
    assert!((&path.y[0] - exact).abs().max() < 1e-7);
    // The wrong number of components is found before the first step.
    let problem = Problem::new(heap, DMatrix::<f64>::zeros(2, 2), 0.0..1.0);
    let error = solver().solve(&problem, SaveAt::end()).unwrap_err();
    assert!(matches!(error, SolveError::Shape(_)), "{error}");
}

#[test]
fn a_weighted_fit_with_values_that_are_missing() {
    let problem = Problem::new(Sheet { k: SMatrix::repeat(0.5) }, [1.0; 6], 0.0..2.0);
    let save = || SaveAt::times([1.0, 2.0]);
    let nan = f64::NAN;
    let data = [SVector::from([1.0, nan, 0.5, 0.2, 1.1, 0.7]), SVector::repeat(nan)];
    let weights = [1.0, 5.0, 2.0, 0.5, 0.0, 3.0];
    let loss = Mse::new(&data).weights(weights).skip_nan();
    for strategy in [true, false] {
        let fit = if strategy {
            solver().strategy(Guarded::default()).gradient(&problem, save(), &loss).unwrap()
        } else {
            solver().gradient(&problem, save(), &loss).unwrap()
        };
        // y = exp(−k) at time 1.
        let y = (-0.5_f64).exp();
        let terms = |i: usize| weights[i] * (y - data[0][i]).powi(2) / 5.0;
        let expected: f64 = [0, 2, 3, 4, 5].map(terms).iter().sum();
        assert!((fit.loss - expected).abs() < 1e-7, "{} {expected}", fit.loss);
        for i in 0..6 {
            let slope = 2.0 * weights[i] * (y - data[0][i]) * -y / 5.0;
            let slope = if i == 1 { 0.0 } else { slope };
            assert!((fit.model.k[i] - slope).abs() < 1e-7, "{i}: {} {slope}", fit.model.k[i]);
        }
    }
    let nothing = [SVector::repeat(nan), SVector::repeat(nan)];
    let error = solver().gradient(&problem, save(), &Mse::new(&nothing).skip_nan()).unwrap_err();
    assert!(error.to_string().contains("all values are NaN"), "{error}");
}

/// The prelude has all methods, not what is known of them.
#[test]
fn the_prelude_leaves_general_names_alone() {
    mod mine {
        pub(super) const METHODS: u32 = 3;
        pub(super) struct MethodInfo;
    }
    use mine::*;
    let MethodInfo = MethodInfo;
    assert_eq!(METHODS, 3);
    macro_rules! names {
        ($($name:ident $Method:ident $kind:ident;)*) => {
            [$(std::any::type_name_of_val(&$Method)),*]
        };
    }
    assert_eq!(revode::for_each_method!(names).len(), revode::methods::METHODS.len());
}

/// Nothing says which scalar the literals are; it is `f64`.
#[test]
fn methods_can_be_called_on_what_a_model_of_literals_gives() {
    let problem = Problem::new(Decay { k: 1.0 }, [1.0], 0.0..1.0);
    let path = solver().solve(&problem, SaveAt::steps()).unwrap();
    let exact: Vec<_> = path.t.iter().map(|t| 1.0 / t.exp()).collect();
    let worst = path.y.iter().zip(&exact).map(|(y, e)| (y[0] - e).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-8, "{worst}");

    let problem = Problem::new(Decay { k: 1.0 }, [1.0], 0.0..1.0);
    let data = [SVector::from([2.0])];
    let loss = Mse::new(&data).weights([4.0]);
    let fit = solver().gradient(&problem, SaveAt::end(), &loss).unwrap();
    assert!((fit.loss.sqrt() - 2.0 * (2.0 - (-1.0_f64).exp())).abs() < 1e-7);
    assert!(fit.model.k.abs().ln().is_finite() && fit.y0[0].sin().abs() <= 1.0);
}
