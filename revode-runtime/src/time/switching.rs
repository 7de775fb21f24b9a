//! Steps that end where the field changes branches, so that each step sees one branch only.
//!
//! The gradient of a step across a kink is off by a part of the step's own contribution: the stages on either side have
//! the derivatives of their side, in proportions that have nothing to do with where the kink is. So a step in which a
//! [switching function](crate::Switch) changes sign is taken again, to end just before the place (and in half, where the
//! sign in its middle differs from that at both ends); a short step leads across it, and the next ones start on the other
//! side. What is left is the error of the short step: a part [`WINDOW`] of that of the step which was taken again.

use crate::slices::{sign_of, zip};
use crate::{Real, SolveError, State, Step, SwitchKind, VectorField};

/// The part of the change of the switching function over a step, within which the step must end before the place.
const WINDOW: f64 = 1e-4;

/// How often a step is taken again for one place.
const MOST_TRIES: u32 = 16;

/// Of a field with more switching functions, a network with rectified units say, steps end at none of their places:
/// they would be too many.
const MOST_LOCATED: usize = 32;

/// What is done about the field's switching functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switches {
    /// Steps end where one changes sign.
    pub(crate) located: bool,
    /// A jump at a place that moves is an error.
    pub(crate) refused: bool,
}

/// The switching functions along a solve.
#[derive(Debug)]
pub(super) struct Switching<T, S> {
    /// Their values at the start of a step, in the middle and at the end of the one that is tried.
    start: Vec<T>,
    middle: Vec<T>,
    end: Vec<T>,
    /// Scratch space: the state in the middle.
    between: S,
    /// Which of them are events, which are not looked at here.
    events: Vec<usize>,
    /// Which of them are jumps at places that move, if these are refused, with the sign that each had last.
    jumps: Vec<(usize, f64)>,
    located: bool,
    search: Option<Search>,
    /// How far the step across leads, once a place has been found.
    across: Option<f64>,
    /// Whether the step that is tried leads across.
    crossing: bool,
    /// Where the next step ends, at most.
    target: Option<T>,
}

/// The search for the place where a switching function changes sign: regula falsi in the Illinois form (Dahlquist and
/// Björck, *Numerical Methods in Scientific Computing I*, section 6.2.2), on steps from the same start.
#[derive(Debug, Clone, Copy)]
struct Search {
    index: usize,
    /// Sizes of steps, without their sign, between which it lies, and how far the switching function is from where it is
    /// to be, with the sign that it had at the start.
    low: (f64, f64),
    high: (f64, f64),
    /// How far before the place the step may end, in units of the switching function.
    window: f64,
    /// Whether the last one became the lower one.
    was_low: Option<bool>,
    tries: u32,
}

/// Writes the values of the switching functions; 1 for those that are `events`, which so never change sign.
fn values<T: Real, F: VectorField<T>>(
    field: &F,
    (t, y): (T, &F::State),
    events: &[usize],
    values: &mut [T],
) {
    field.switches(t, y, values);
    for i in events {
        values[*i] = T::ONE;
    }
}

impl<T: Real, S: State<T>> Switching<T, S> {
    /// At the start of a solve; `None` where nothing needs to be known.
    pub(super) fn new<F: VectorField<T, State = S>>(
        field: &F,
        (t, y): (T, &S),
        Switches { located, refused }: Switches,
    ) -> Option<Self> {
        let count = field.switch_count();
        let kinds: Vec<_> = (0..count).map(|i| field.switch(i).kind).collect();
        let poles = kinds.iter().filter(|kind| **kind == SwitchKind::Pole).count();
        let located = located && count - poles <= MOST_LOCATED;
        let moves =
            |i: &usize| refused && !F::JUMPS && kinds[*i] == SwitchKind::Jump { moves: true };
        let mut jumps: Vec<_> = (0..count).filter(moves).map(|i| (i, 0.0)).collect();
        if count == 0 || (!located && jumps.is_empty()) {
            return None;
        }
        // Where a field knows its jumps they are events.
        let is_event = |i: &usize| F::JUMPS && matches!(kinds[*i], SwitchKind::Jump { .. });
        let events: Vec<_> = (0..count).filter(is_event).collect();
        let mut start = vec![T::ZERO; count];
        values(field, (t, y), &events, &mut start);
        for (i, sign) in &mut jumps {
            *sign = sign_of(start[*i].to_f64());
        }
        Some(Self {
            middle: start.clone(),
            end: start.clone(),
            start,
            between: y.clone(),
            events,
            jumps,
            located,
            search: None,
            across: None,
            crossing: false,
            target: None,
        })
    }

    /// Where the next step from `t` ends, at most, on the way to `stop`.
    pub(super) fn stop(&self, t: T, stop: T) -> T {
        let Some(target) = self.target else { return stop };
        let (near, far) = ((target - t).abs(), (stop - t).abs());
        // (A step across may be too short to move time, or lead beyond the stop.)
        let rounding = T::from_f64(16.0) * T::EPSILON * t.abs();
        if near < far && near > rounding { target } else { stop }
    }

    /// Looks at a step from `y` to `y_next`, whose error is small enough. Returns whether it stands; if not, it is to be
    /// taken again, to [`stop`](Self::stop).
    ///
    /// # Errors
    /// [`SolveError::Jump`].
    pub(super) fn look<F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        y: &S,
        y_next: &S,
    ) -> Result<bool, SolveError> {
        values(field, (step.end, y_next), &self.events, &mut self.end);
        if self.located && !self.crossing {
            let half = T::from_f64(0.5);
            let states = [y.as_slice(), y_next.as_slice()];
            zip(self.between.as_mut_slice(), states, |[y, next]| half * (y + next));
            let middle = (step.t + half * (step.end - step.t), &self.between);
            values(field, middle, &self.events, &mut self.middle);
            let h = (step.end - step.t).abs().to_f64();
            if let Some(wanted) = self.wanted(h) {
                let wanted = T::from_f64(if step.h < T::ZERO { -wanted } else { wanted });
                self.target = Some(step.t + wanted);
                return Ok(false);
            }
        }
        for (i, sign) in &mut self.jumps {
            let now = sign_of(self.end[*i].to_f64());
            if now * *sign < 0.0 {
                return Err(jump(field, step, *i));
            }
            // (A step that ends at the place is followed by one that leaves it.)
            if now != 0.0 {
                *sign = now;
            }
        }
        Ok(true)
    }

    /// The step that was looked at last has been taken.
    pub(super) fn accept(&mut self, step: Step<T>) {
        std::mem::swap(&mut self.start, &mut self.end);
        self.search = None;
        self.crossing = self.across.is_some();
        self.target = self.across.take().map(|across| {
            let across = T::from_f64(across);
            if step.h < T::ZERO { step.end - across } else { step.end + across }
        });
    }

    /// The step that was tried last has been rejected for its error.
    pub(super) fn reject(&mut self) {
        self.search = None;
        self.across = None;
        if !self.crossing {
            self.target = None;
        }
    }

    /// The size of the step that is to be taken instead of one of the size `h`; `None` where that stands.
    fn wanted(&mut self, h: f64) -> Option<f64> {
        if let Some(index) = self.first_crossed()
            && self.search.is_none_or(|search| search.index != index)
        {
            let (a, b) = self.values(index);
            let window = WINDOW * (a - b);
            let aim = 0.5 * window;
            if a <= aim {
                // The start is as near as it gets: a short step leads across.
                let across = 2.0 * h * a / (a - b);
                self.crossing = true;
                self.search = None;
                return (across < 0.5 * h).then_some(across);
            }
            let (low, high) = ((0.0, a - aim), (h, b - aim));
            let search = Search { index, low, high, window, was_low: None, tries: 0 };
            self.search = Some(search);
            return Some(search.next());
        }
        if self.search.is_none() && self.touches() {
            return Some(0.5 * h);
        }
        let mut search = self.search?;
        let (a, b) = self.values(search.index);
        if b > 0.0 && b <= search.window || search.tries >= MOST_TRIES {
            let slope = (a - b) / h;
            self.across = (b > 0.0 && slope > 0.0).then(|| 2.0 * b / slope);
            return None;
        }
        search.take(h, b - 0.5 * search.window);
        self.search = Some(search);
        Some(search.next())
    }

    /// Of the switching functions that have changed sign the one that did so first, as if they were straight.
    fn first_crossed(&self) -> Option<usize> {
        let mut first: Option<(usize, f64)> = None;
        for i in 0..self.start.len() {
            let (a, b) = self.values(i);
            if sign_of(a) * sign_of(b) < 0.0 {
                let part = a / (a - b);
                if first.is_none_or(|(_, least)| part < least) {
                    first = Some((i, part));
                }
            }
        }
        first.map(|(i, _)| i)
    }

    /// Whether a switching function has another sign in the middle of the step than at both ends.
    fn touches(&self) -> bool {
        let ends = self.start.iter().zip(&self.end).zip(&self.middle);
        ends.into_iter().any(|((a, b), middle)| {
            let [a, b, middle] = [a, b, middle].map(|x| sign_of(x.to_f64()));
            a * middle < 0.0 && b * middle < 0.0
        })
    }

    /// The values of a switching function, with the sign that makes it positive at the start.
    fn values(&self, i: usize) -> (f64, f64) {
        let (a, b) = (self.start[i].to_f64(), self.end[i].to_f64());
        if a < 0.0 { (-a, -b) } else { (a, b) }
    }
}

impl Search {
    /// The size of the step to try next.
    fn next(self) -> f64 {
        let ((low, above), (high, below)) = (self.low, self.high);
        let size = low + (high - low) * above / (above - below);
        if size > low && size < high { size } else { 0.5 * (low + high) }
    }

    /// Takes the result of a step of the size `h`.
    fn take(&mut self, h: f64, value: f64) {
        self.tries += 1;
        let is_low = value > 0.0;
        let (near, far) =
            if is_low { (&mut self.low, &mut self.high) } else { (&mut self.high, &mut self.low) };
        *near = (h, value);
        if self.was_low == Some(is_low) {
            far.1 *= 0.5;
        }
        self.was_low = Some(is_low);
    }
}

#[cold]
fn jump<T: Real, F: VectorField<T>>(field: &F, step: Step<T>, i: usize) -> SolveError {
    let crate::Switch { function, argument, .. } = field.switch(i);
    SolveError::Jump { function, argument, t: step.end.to_f64() }
}
