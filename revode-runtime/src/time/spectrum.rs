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

use crate::slices::update;
use crate::{Real, Stability, State, VectorField};

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

/// Two directions of a smaller angle than `asin √` this are one: there is a real eigenvalue.
const SAME: f64 = 0.05;

/// A projection is believed where what it leaves of the image is a smaller part than this.
const RESIDUAL: f64 = 0.5;

/// The fastest modes of a field, along a solution.
#[derive(Debug)]
pub(super) struct Spectrum<S> {
    limits: [f64; Stability::RAYS],
    /// The direction, of length 1, and the one before it, whose image was `growth` times this one.
    direction: S,
    last: S,
    growth: Option<f64>,
    /// Scratch space: the field, the state beside it, and the image of the direction.
    field: S,
    beside: S,
    image: S,
    /// By how much a step of size 1 is longer than the limit.
    rate: f64,
    looks: u32,
    /// The steps since the last look, and the size that the next one had then.
    steps: u32,
    h: f64,
    pub(super) evaluations: u64,
}

impl<S> Spectrum<S> {
    /// For steps with these limits.
    pub(super) fn new<T: Real>(limits: [f64; Stability::RAYS], y0: &S) -> Self
    where
        S: State<T>,
    {
        let mut direction = y0.zeros_like();
        scatter(direction.as_mut_slice(), 0, T::ONE);
        normalise(direction.as_mut_slice());
        Self {
            limits,
            direction,
            last: y0.zeros_like(),
            growth: None,
            field: y0.zeros_like(),
            beside: y0.zeros_like(),
            image: y0.zeros_like(),
            rate: 0.0,
            looks: 0,
            steps: 0,
            h: 0.0,
            evaluations: 0,
        }
    }

    /// How long the next step, from `y` at `t`, may be, where it is to have the size `h`, positive.
    #[inline]
    pub(super) fn limit<T: Real, F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        t: T,
        y: &S,
        h: f64,
    ) -> f64
    where
        S: State<T>,
    {
        self.steps += 1;
        let close = h * self.rate > CLOSE;
        let turning = close && self.looks < FIRST_LOOKS;
        let often = STEPS[usize::from(!close)];
        if turning || self.steps >= often || h > 2.0 * self.h {
            self.look(field, t, y);
            (self.steps, self.h) = (0, h);
        }
        PART / self.rate
    }

    #[inline(never)]
    fn look<T: Real, F: VectorField<T, State = S>>(&mut self, field: &F, t: T, y: &S)
    where
        S: State<T>,
    {
        let n = y.len();
        let size = y.as_slice().iter().fold(T::ZERO, |size, y| size.max(y.abs()));
        let size = if size > T::ZERO && size.is_finite() { size } else { T::ONE };
        let distance = size * T::EPSILON.sqrt();
        let (direction, beside) = (self.direction.as_slice(), self.beside.as_mut_slice());
        for i in 0..n {
            beside[i] = y.as_slice()[i] + distance * direction[i];
        }
        field.eval(t, y, &mut self.field);
        field.eval(t, &self.beside, &mut self.image);
        self.evaluations += 2;
        let difference = |image, [field]: [T; 1]| (image - field) / distance;
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
        self.rate *= FORGOTTEN;
        if !(length > 0.0 && length.is_finite()) {
            // A constant field there, or one that is not defined beside the solution.
            scatter(self.direction.as_mut_slice(), self.looks, T::ONE);
            normalise(self.direction.as_mut_slice());
            self.growth = None;
            return;
        }
        let apart = 1.0 - vp * vp;
        let found = match self.growth {
            Some(growth) if apart > SAME => {
                // `w ≈ s v + r p`, and `J p = growth v`: in the basis of both, J is `[[s, growth], [r, 0]]`.
                let (s, r) = ((vw - vp * pw) / apart, (pw - vp * vw) / apart);
                let left = length * length - s * vw - r * pw;
                (left <= RESIDUAL * RESIDUAL * length * length)
                    .then(|| self.rate_of(0.5 * s, -r * growth))
            }
            _ => {
                let left = length * length - vw * vw;
                (left <= RESIDUAL * RESIDUAL * length * length).then(|| self.rate_of_real(vw))
            }
        };
        if let Some(found) = found {
            self.rate = self.rate.max(found);
        }
        let part = T::from_f64(1.0 / length);
        let image = self.image.as_mut_slice();
        for w in image.iter_mut() {
            *w *= part;
        }
        scatter(image, self.looks, T::from_f64(TRACE));
        normalise(image);
        std::mem::swap(&mut self.last, &mut self.direction);
        std::mem::swap(&mut self.direction, &mut self.image);
        self.growth = Some(length);
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
        // Multiples of the golden ratio and of the square root of 2, as for the seeds of a gap.
        let component = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let scattered = component.wrapping_add(u64::from(look).wrapping_mul(0x6a09_e667_f3bc_c909));
        *x += if scattered >> 63 == 1 { size } else { -size };
    }
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
