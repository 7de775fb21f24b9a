//! How long steps may be for stability: from the fastest modes of the field, which the power method finds along the
//! solution.
//!
//! Step-size control alone takes steps at the limit of stability: some grow what the rejections then hold back. The
//! solution is held by that feedback, but its linearisation with constant steps is not, and a gradient would be the
//! product of the growths (`docs/gradient-error.md`). So the next step is kept below the limit beforehand.
//!
//! Each look multiplies a direction by the Jacobian, by a difference of two evaluations. The direction turns to the
//! mode with the largest eigenvalue, or for a complex pair turns within the plane of it. Two successive directions
//! span that plane: the eigenvalues of the Jacobian projected on it are the estimate, with their angle, which says
//! which limit holds. Eigenvalues in the right half plane have none.

use crate::slices::{largest, scattered_sign, update};
use crate::{Real, Sides, Stability, State, VectorField};

/// The part of the limit that a step may take: the spectrum changes until the next look.
const PART: f64 = 0.9;

/// A slower estimate than the last one is believed by so much a look: the direction may have lost the fastest mode.
const FORGOTTEN: f64 = 0.8;

/// What is added to the direction in other directions, so that a mode which becomes fast is found.
const TRACE: f64 = 1e-3;

/// Steps closer to the limit than this part of it are looked at more often.
const CLOSE: f64 = 0.1;

/// The steps between two looks, close to the limit and far from it. (`cargo bench --bench step` shows the cost.)
const STEPS: [u32; 2] = [4, 16];

/// Looks close to the limit that are made one after the other until the direction has turned.
const FIRST_LOOKS: u32 = 6;

/// Two directions of an angle whose squared sine is below this are one: there is a real eigenvalue.
const SAME: f64 = 1e-3;

/// A projection is believed where what it leaves of the image is a smaller part than this.
const RESIDUAL: f64 = 0.5;

/// The fastest modes of a field, along a solution.
#[derive(Debug)]
pub(super) struct Spectrum<S> {
    limits: [f64; Stability::RAYS],
    /// The sides of the field's jumps on which it is evaluated.
    sides: Sides,
    /// The direction `v`, of length 1, and the one before it, `p`.
    direction: S,
    last: S,
    /// The image of `p`, which is `a v + b p` but for the trace: `a` and `b`.
    last_image: Option<[f64; 2]>,
    /// Scratch space: the field, the state beside it, and the image of the direction.
    field: S,
    beside: S,
    image: S,
    /// By how much a step of size 1 is longer than the limit, and the size that a step may have.
    rate: f64,
    stable: f64,
    looks: u32,
    /// The steps since the last look, and the size that the next one had then.
    steps: u32,
    h: f64,
    pub(super) evaluations: u64,
}

impl<S> Spectrum<S> {
    /// For steps with these limits.
    pub(super) fn new<T: Real>(limits: [f64; Stability::RAYS], y0: &S, sides: Sides) -> Self
    where
        S: State<T>,
    {
        let mut direction = y0.zeros_like();
        scatter(direction.as_mut_slice(), 0, T::ONE);
        normalise(direction.as_mut_slice());
        Self {
            limits,
            sides,
            direction,
            last: y0.zeros_like(),
            last_image: None,
            field: y0.zeros_like(),
            beside: y0.zeros_like(),
            image: y0.zeros_like(),
            rate: 0.0,
            stable: f64::INFINITY,
            looks: 0,
            steps: 0,
            h: 0.0,
            evaluations: 0,
        }
    }

    /// How long the next step, from `y` at `t`, may be, where it is to have the size `h`, positive, forward in time or
    /// `backward`.
    #[inline]
    pub(super) fn limit<T: Real, F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        t: T,
        y: &S,
        (h, backward): (f64, bool),
    ) -> f64
    where
        S: State<T>,
    {
        self.steps += 1;
        let close = h * self.rate > CLOSE;
        let turning = close && self.looks < FIRST_LOOKS;
        let often = STEPS[usize::from(!close)];
        if turning || self.steps >= often || h > 2.0 * self.h {
            self.look(field, t, y, backward);
            (self.steps, self.h, self.stable) = (0, h, PART / self.rate);
        }
        self.stable
    }

    #[inline(never)]
    fn look<T: Real, F>(&mut self, field: &F, t: T, y: &S, backward: bool)
    where
        F: VectorField<T, State = S>,
        S: State<T>,
    {
        let n = y.len();
        let size = T::from_f64(largest(y.as_slice()));
        let size = if size > T::ZERO && size.is_finite() { size } else { T::ONE };
        let distance = size * T::EPSILON.sqrt();
        let (direction, beside) = (self.direction.as_slice(), self.beside.as_mut_slice());
        for i in 0..n {
            beside[i] = y.as_slice()[i] + distance * direction[i];
        }
        field.eval_on(self.sides, t, y, &mut self.field);
        field.eval_on(self.sides, t, &self.beside, &mut self.image);
        self.evaluations += 2;
        // Backward in time a mode decays that grows forward.
        let unit = if backward { -distance } else { distance };
        let difference = |image, [field]: [T; 1]| (image - field) / unit;
        update(self.image.as_mut_slice(), [self.field.as_slice()], difference);
        self.turn();
    }

    /// Takes the image of the direction, and turns that to it.
    fn turn<T: Real>(&mut self)
    where
        S: State<T>,
    {
        let Self { direction, last, image, .. } = &*self;
        let (v, p, w) = (direction.as_slice(), last.as_slice(), image.as_slice());
        let (length, vw) = (Real::sqrt(dot(w, w)), dot(v, w));
        let (pw, vp) = (dot(p, w), dot(v, p));
        self.looks = self.looks.saturating_add(1);
        if !(length > 0.0 && length.is_finite()) {
            // A constant field there, or one that is not defined beside the solution.
            scatter(self.direction.as_mut_slice(), self.looks, T::ONE);
            normalise(self.direction.as_mut_slice());
            self.last_image = None;
            return;
        }
        let (left, found) = match self.last_image {
            Some([a, b]) if 1.0 - vp * vp > SAME => {
                // `w ≈ s v + r p`: in the basis of `v` and `p`, J is `[[s, a], [r, b]]`.
                let [s, r] = in_plane(vw, pw, vp);
                let left = length * length - s * vw - r * pw;
                (left, self.rate_of(0.5 * (s + b), s * b - r * a))
            }
            _ => (length * length - vw * vw, self.rate_of_real(vw)),
        };
        if left <= RESIDUAL * RESIDUAL * length * length {
            self.rate = found.max(FORGOTTEN * self.rate);
        }
        let part = T::from_f64(1.0 / length);
        let image = self.image.as_mut_slice();
        for w in image.iter_mut() {
            *w *= part;
        }
        self.field.as_mut_slice().copy_from_slice(image);
        scatter(image, self.looks, T::from_f64(TRACE));
        normalise(image);
        std::mem::swap(&mut self.last, &mut self.direction);
        std::mem::swap(&mut self.direction, &mut self.image);
        let (v, p, w) = (self.direction.as_slice(), self.last.as_slice(), self.field.as_slice());
        let vp = dot(v, p);
        self.last_image = (1.0 - vp * vp > SAME)
            .then(|| in_plane(dot(v, w), dot(p, w), vp).map(|part| part * length));
    }

    /// The rate of two eigenvalues with this half sum and this product.
    fn rate_of(&self, half: f64, product: f64) -> f64 {
        let discriminant = half * half - product;
        if discriminant < 0.0 {
            let size = Real::sqrt(product);
            return size / Stability::limit_at(&self.limits, -half / size);
        }
        let root = Real::sqrt(discriminant);
        self.rate_of_real(half - root).max(self.rate_of_real(half + root))
    }

    fn rate_of_real(&self, eigenvalue: f64) -> f64 {
        if eigenvalue < 0.0 { -eigenvalue / self.limits[0] } else { 0.0 }
    }
}

/// Adds numbers of size `size / √n` to a vector whose signs look random and differ from one `look` to the next.
fn scatter<T: Real>(x: &mut [T], look: u32, size: T) {
    let size = size / T::from_f64(x.len() as f64).sqrt();
    for (i, x) in x.iter_mut().enumerate() {
        *x += T::from_f64(scattered_sign(i, look.into())) * size;
    }
}

/// The vector of a plane that is nearest to one with the products `vw` and `pw` with the unit vectors `v` and `p`, as
/// multiples of both; `vp` is their product.
fn in_plane(vw: f64, pw: f64, vp: f64) -> [f64; 2] {
    let apart = 1.0 - vp * vp;
    [(vw - vp * pw) / apart, (pw - vp * vw) / apart]
}

fn dot<T: Real>(x: &[T], y: &[T]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x.to_f64() * y.to_f64()).sum()
}

fn normalise<T: Real>(x: &mut [T]) {
    let length = T::from_f64(Real::sqrt(dot(x, x)));
    for x in x.iter_mut() {
        *x /= length;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{SMatrix, SVector};

    use super::{PART, Spectrum};
    use crate::methods::Tsit5;
    use crate::{Sides, Stability, Tableau, VectorField};

    /// `dy/dt = A y`.
    struct Linear<const N: usize>(SMatrix<f64, N, N>);

    impl<const N: usize> VectorField<f64> for Linear<N> {
        type State = SVector<f64, N>;
        fn eval(&self, _: f64, y: &Self::State, dy: &mut Self::State) {
            *dy = self.0 * y;
        }
    }

    const LIMITS: [f64; Stability::RAYS] = Tsit5::STABILITY.method;

    /// The limit of the step size after so many looks, `h` being asked for.
    fn limit<const N: usize>(matrix: SMatrix<f64, N, N>, looks: u32, h: f64) -> f64 {
        let (field, y) = (Linear(matrix), SVector::repeat(1.0));
        let mut spectrum = Spectrum::new(LIMITS, &y, Sides::default());
        let mut found = f64::INFINITY;
        while spectrum.looks < looks {
            found = spectrum.limit(&field, 0.0, &y, (h, false));
        }
        found
    }

    fn assert_near(found: f64, expected: f64, tolerance: f64) {
        assert!((found / expected - 1.0).abs() < tolerance, "{found} {expected}");
    }

    #[test]
    fn a_real_eigenvalue_is_found() {
        let matrix = SMatrix::<f64, 3, 3>::new(-1.0, 0.3, 0.0, 0.1, -100.0, 2.0, 0.0, 0.5, -3.0);
        // The eigenvalue differs from the diagonal by 0.01, the trace in other directions is 0.001.
        assert_near(limit(matrix, 8, 1.0), PART * LIMITS[0] / 100.0, 5e-3);
    }

    /// The length of the images swings between the squares of the axes of an ellipse; the plane has the modulus.
    #[test]
    fn a_complex_pair_is_found_with_its_angle() {
        for (re, im, stretch) in [(-30.0, 40.0, 1.0), (-30.0, 40.0, 10.0), (-4.0, 3.0, 3.0)] {
            let matrix = SMatrix::<f64, 2, 2>::new(re, im * stretch, -im / stretch, re);
            let size = f64::hypot(re, im);
            let expected = PART * Stability::limit_at(&LIMITS, -re / size) / size;
            for looks in 6..12 {
                // Beside a ray the limits of both neighbours may hold.
                let found = limit(matrix, looks, 1.0);
                assert!(found < 1.35 * expected && found > 0.75 * expected, "{found} {expected}");
            }
        }
    }

    /// The first images are 100 times as long as the eigenvalues are large. (Beyond 1,000 times the trace in other
    /// directions would show: an estimate can be too large by [`TRACE`](super::TRACE) of the norm of the Jacobian.)
    #[test]
    fn a_jacobian_far_from_normal_does_not_shorten_steps() {
        let matrix = SMatrix::<f64, 2, 2>::new(-1.0, 100.0, 0.0, -2.0);
        let found = limit(matrix, 12, 1.0);
        assert!(found > 0.9 * PART * LIMITS[0] / 2.0, "{found}");
    }

    #[test]
    fn what_grows_or_is_constant_has_no_limit() {
        assert_eq!(limit(SMatrix::<f64, 2, 2>::zeros(), 5, 1.0), f64::INFINITY);
        let growing = SMatrix::<f64, 2, 2>::new(50.0, 1.0, 0.0, 40.0);
        assert!(limit(growing, 12, 1.0) > 1e3, "{}", limit(growing, 12, 1.0));
    }

    #[test]
    fn backward_in_time_growth_is_decay() {
        let (field, y) = (Linear(SMatrix::<f64, 1, 1>::new(100.0)), SVector::repeat(1.0));
        let mut spectrum = Spectrum::new(LIMITS, &y, Sides::default());
        let found = spectrum.limit(&field, 0.0, &y, (1.0, true));
        assert_near(found, PART * LIMITS[0] / 100.0, 1e-3);
        let field = Linear(SMatrix::<f64, 1, 1>::new(-100.0));
        let found = Spectrum::new(LIMITS, &y, Sides::default()).limit(&field, 0.0, &y, (1.0, true));
        assert_eq!(found, f64::INFINITY);
    }

    #[test]
    fn a_mode_that_becomes_fast_is_found() {
        let y = SVector::repeat(1.0);
        let at = |slow: f64, fast: f64| Linear(SMatrix::<f64, 2, 2>::new(-slow, 0.0, 0.0, -fast));
        let mut spectrum = Spectrum::new(LIMITS, &y, Sides::default());
        for _ in 0..100 {
            spectrum.limit(&at(10.0, 0.1), 0.0, &y, (0.1, false));
        }
        let mut found = f64::INFINITY;
        for _ in 0..40 {
            found = spectrum.limit(&at(10.0, 1000.0), 0.0, &y, (0.1, false));
        }
        assert_near(found, PART * LIMITS[0] / 1000.0, 0.02);
    }

    #[test]
    fn looks_are_few_far_from_the_limit() {
        let (field, y) = (Linear(SMatrix::<f64, 1, 1>::new(-1.0)), SVector::repeat(1.0));
        let mut spectrum = Spectrum::new(LIMITS, &y, Sides::default());
        for _ in 0..1600 {
            spectrum.limit(&field, 0.0, &y, (0.1, false));
        }
        assert!(spectrum.looks <= 101, "{}", spectrum.looks);
    }
}
