//! Where a function of one number crosses 0: between looks at it, and by steps that end there.

use crate::slices::sign_of;
use crate::{Real, Trigger};

/// How often an interval is made smaller for a root.
const MOST_ROUNDS: u32 = 60;

/// How often a step is taken again for one event: each time the miss falls to about its square.
const MOST_TRIES: u32 = 40;

/// A trigger that is watched, and the looks at it in a step.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// The number of the event.
    pub(super) number: usize,
    trigger: Trigger,
    /// The side on which the field is, where it changes sides there.
    side: Option<f64>,
    /// The value at the start of the step.
    start: f64,
    /// The sign that it came from, where it has just happened and not been moved away from 0.
    from: Option<f64>,
    /// Whether what the looks show is to be passed over in this step.
    pub(super) ignored: bool,
    /// The parts of the step and the values there.
    looks: Vec<(f64, f64)>,
}

/// A crossing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossing {
    /// The part of the step.
    pub(super) theta: f64,
    /// A part before it with the sign before.
    from: f64,
    /// The derivative by that part.
    slope: f64,
    /// The sign before.
    pub(super) sign: f64,
    /// Whether there is a number of the other sign beyond, and not only what is none.
    pub(super) shown: bool,
}

impl Crossing {
    /// Of a straight line from `start` to `end`, which have different signs.
    pub(super) fn straight(start: f64, end: f64, sign: f64) -> Self {
        let theta = start / (start - end);
        Self { theta, from: 0.0, slope: end - start, sign, shown: true }
    }
}

impl Watched {
    /// At the start of a leg; the sign that it comes `from` where it has just happened and stays at 0.
    pub(super) fn new(number: usize, trigger: Trigger, start: f64, from: Option<f64>) -> Self {
        Self {
            number,
            trigger,
            side: None,
            start,
            from,
            ignored: false,
            looks: Vec::with_capacity(16),
        }
    }

    /// One where the field changes sides, and is on this one: 1, −1, or 0 where it stays at the place.
    pub(super) fn that_switches(self, side: f64) -> Self {
        Self { side: Some(side), ..self }
    }

    /// Whether it is where the field changes sides, and has been left for the side of `g`.
    pub(super) fn is_left(&self, g: f64) -> bool {
        self.side == Some(0.0) && g != self.start
    }

    /// The value at the start of the step.
    pub(super) fn start(&self) -> f64 {
        self.start
    }

    /// What has the sign with which the step begins.
    pub(super) fn begins(&self) -> f64 {
        self.looks.first().map_or(self.start, |look| look.1)
    }

    /// Whether it has just happened at the start of the step, and stays at 0.
    pub(super) fn has_happened(&self) -> bool {
        self.from.is_some()
    }

    /// Whether the step leaves 0 at its start, in a direction that is to be seen.
    pub(super) fn leaves(&self) -> bool {
        self.start == 0.0 || self.has_happened()
    }

    /// A step has been taken to where the value is `g`.
    pub(super) fn restart(&mut self, g: f64) {
        (self.start, self.from, self.ignored) = (g, None, false);
    }

    /// Looks begin at a step that leaves 0 with the sign of its `tangent`, if it leaves 0.
    pub(super) fn begin(&mut self, tangent: f64) {
        // The 0 itself is no crossing: there is the sign with which it is left.
        let start = if self.leaves() { tangent * f64::MIN_POSITIVE } else { self.start };
        self.looks.clear();
        self.look(0.0, start);
    }

    /// Takes a look.
    pub(super) fn look(&mut self, theta: f64, g: f64) {
        self.looks.push((theta, g));
    }

    /// Whether the trigger, which has just happened, goes on to the side that it was coming to though the solution was to
    /// stay: the tangent is 0, as after an impact without rebound. Or whether the field, on its side of a jump that the
    /// step starts at, takes the solution to the other one.
    pub(super) fn breaks_through(&self) -> bool {
        let [(_, start), (_, after), ..] = self.looks[..] else { return false };
        if !self.leaves() {
            return false;
        }
        let goes = if start == 0.0 { sign_of(after) } else { sign_of(start) };
        match (self.side, self.from) {
            // (Of a tangent of 0 the cubic does not tell more.)
            (Some(side), _) => side != 0.0 && sign_of(start) == -side,
            (None, Some(from)) => start == 0.0 && goes == -from && self.happens_from(from),
            (None, None) => false,
        }
    }

    /// Whether it is looked for where the trigger comes from values of this sign.
    fn happens_from(&self, sign: f64) -> bool {
        // A jump is left from the side on which the field is, and from no other.
        if self.side.is_some_and(|side| side != 0.0 && side != sign) {
            return false;
        }
        match self.trigger {
            Trigger::Rising => sign < 0.0,
            Trigger::Falling => sign > 0.0,
            Trigger::Either => sign != 0.0,
            Trigger::Time => false,
        }
    }

    /// The sign from which a step has led across 0, as it is looked for, to the value `g`, or `near` to it: by this part
    /// of the step. `None` where it has not.
    pub(super) fn has_crossed(&self, g: f64, near: f64) -> Option<f64> {
        let sign = sign_of(self.start);
        let rest = near * (g - self.start).abs();
        let crossed = sign * g <= rest && sign * (g - self.start) < 0.0;
        (!self.leaves() && self.happens_from(sign) && crossed).then_some(sign)
    }

    /// Where the trigger, which is `g`, first crosses 0 as it is looked for.
    pub(super) fn first_crossing(&self, mut g: impl FnMut(f64) -> f64) -> Option<Crossing> {
        if self.ignored {
            return None;
        }
        let mut before = *self.looks.first()?;
        for (i, &after) in self.looks.iter().enumerate().skip(1) {
            let sign = sign_of(before.1);
            if !after.1.is_finite() {
                // Where it is not defined it may have crossed 0 on the way, which a step is to confirm.
                if self.happens_from(sign) {
                    return Some(root(before, after, g));
                }
                continue;
            }
            if sign * after.1 <= 0.0 {
                if self.happens_from(sign) {
                    // A step that leaves 0 may come back before the first look.
                    let before =
                        if i == 1 && self.leaves() { apart(before, after, &mut g) } else { before };
                    return Some(root(before, after, g));
                }
            } else if let Some(&next) = self.looks.get(i + 1)
                && let Some(dip) = dip([before, after, next], &mut g)
            {
                // There and back between two looks.
                let (from, to) = if self.happens_from(sign) { (before, dip) } else { (dip, next) };
                let back = self.happens_from(sign_of(from.1));
                if back {
                    return Some(root(from, to, g));
                }
            }
            before = after;
        }
        None
    }
}

/// Between the start of a step that leaves 0 and a look at which the sign is another, a point with the sign of the start; the
/// start itself where there is none.
fn apart(start: (f64, f64), look: (f64, f64), g: &mut impl FnMut(f64) -> f64) -> (f64, f64) {
    let mut theta = look.0;
    while theta > 1e-12 {
        theta *= 0.5;
        let between = g(theta);
        if start.1 * between > 0.0 {
            return (theta, between);
        }
    }
    start
}

/// Of three looks with the same sign, the middle one nearest to 0, a point between where `g` has crossed 0, if it has.
fn dip(looks: [(f64, f64); 3], g: &mut impl FnMut(f64) -> f64) -> Option<(f64, f64)> {
    let [before, middle, after] = looks;
    let sign = sign_of(middle.1);
    let same = sign_of(before.1) * sign > 0.0 && sign_of(after.1) * sign > 0.0;
    let least = middle.1.abs() < before.1.abs() && middle.1.abs() <= after.1.abs();
    if same && least { lowest([before.0, after.0], sign, g) } else { None }
}

/// Where `sign g` is below 0 in an interval in which it has one minimum: the golden section, until such a point is found.
fn lowest(
    [mut a, mut b]: [f64; 2],
    sign: f64,
    g: &mut impl FnMut(f64) -> f64,
) -> Option<(f64, f64)> {
    let golden = 0.5 * (Real::sqrt(5.0_f64) - 1.0);
    let mut at = |theta: f64| (theta, g(theta));
    let (mut c, mut d) = (at(b - golden * (b - a)), at(a + golden * (b - a)));
    // (0.618^40 of a quarter is 1e-9: the minimum is then known to the square of that.)
    for _ in 0..40 {
        for point in [c, d] {
            if sign * point.1 < 0.0 {
                return Some(point);
            }
        }
        if sign * c.1 < sign * d.1 {
            (b, d) = (d.0, c);
            c = at(b - golden * (b - a));
        } else {
            (a, c) = (c.0, d);
            d = at(a + golden * (b - a));
        }
    }
    None
}

/// The root of `g` between two points with different signs: regula falsi in the Illinois form (Dahlquist and Björck,
/// *Numerical Methods in Scientific Computing I*, section 6.2.2). Where `g` is not a number the root lies before.
fn root(before: (f64, f64), after: (f64, f64), mut g: impl FnMut(f64) -> f64) -> Crossing {
    let sign = sign_of(before.1);
    let ((mut a, mut g_a), (mut b, mut g_b), from) = (before, after, before.0);
    let mut shown = g_b.is_finite();
    if !shown {
        g_b = -g_a;
    }
    let mut slope = (g_b - g_a) / (b - a);
    for _ in 0..MOST_ROUNDS {
        if (b - a).abs() <= 1e-12 || g_b == 0.0 {
            break;
        }
        slope = (g_b - g_a) / (b - a);
        let (least, most) = (a.min(b), a.max(b));
        let mut theta = b - g_b / slope;
        if !(theta > least && theta < most) {
            theta = 0.5 * (a + b);
        }
        let value = g(theta);
        shown |= value.is_finite() && value * sign <= 0.0;
        let far = if value.is_finite() { value } else { -sign };
        if far * g_b < 0.0 {
            (a, g_a) = (b, g_b);
        } else {
            g_a *= 0.5;
        }
        (b, g_b) = (theta, far);
    }
    Crossing { theta: b, from, slope, sign, shown }
}

/// What a step says of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// It ends at the event.
    Found,
    /// A step of this length is next.
    Try(f64),
    /// There is no event.
    Nothing,
}

/// The search for the step that ends at an event: Newton's method with the slope between the last two steps, from the same
/// start, within the interval that has the event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// The sign of the trigger before.
    sign: f64,
    /// Its derivative by the length of the step.
    slope: f64,
    /// The lengths between which it lies, and whether a step has come to the other side of it.
    low: f64,
    high: f64,
    seen: bool,
    /// Whether the trigger has its sign before at the start or at the end of a step. (A bump of the cubic can begin with the
    /// other sign, and be the cubic's alone.)
    comes: bool,
    /// Whether it has not at the start.
    is_bump: bool,
    last: Option<(f64, f64)>,
    tries: u32,
}

impl Search {
    /// For a crossing in a step of this length, at whose start the trigger has the sign of `start`.
    pub(super) fn new(crossing: &Crossing, length: f64, start: f64) -> Self {
        let Crossing { slope, sign, .. } = *crossing;
        let (slope, comes) = (slope / length, start * sign > 0.0);
        let low = if comes { 0.0 } else { crossing.from * length };
        let (high, is_bump) = (length, !comes);
        Self { sign, slope, low, high, seen: false, comes, is_bump, last: None, tries: 0 }
    }

    /// The sign of the trigger before the event.
    pub(super) fn sign(&self) -> f64 {
        self.sign
    }

    /// A step of this length ended where the trigger is `g`; lengths are known up to `rounding`.
    pub(super) fn next(&mut self, length: f64, g: f64, rounding: f64) -> Verdict {
        self.tries += 1;
        // (NaN is beyond.)
        if g * self.sign > 0.0 {
            self.low = self.low.max(length);
            self.comes = true;
        } else {
            self.high = self.high.min(length);
            self.seen |= g.is_finite();
        }
        if let Some((last, g_last)) = self.last {
            let slope = (g - g_last) / (length - last);
            if slope.is_finite() && slope * self.sign < 0.0 {
                self.slope = slope;
            }
        }
        self.last = Some((length, g));
        let miss = -g / self.slope;
        if self.comes && (g == 0.0 || miss.abs() <= rounding) {
            return Verdict::Found;
        }
        if self.high - self.low <= rounding || self.tries >= MOST_TRIES {
            return if self.seen && self.comes { Verdict::Found } else { Verdict::Nothing };
        }
        let next = length + miss;
        // (A step to the end of the interval may have been to the event itself, when nothing had come to it yet.)
        let below = next < self.high || (self.is_bump && next == self.high);
        let inside = self.comes && next > self.low && below;
        Verdict::Try(if inside { next } else { 0.5 * (self.low + self.high) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Search, Verdict, Watched};
    use crate::Trigger;

    const LOOKS: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

    fn crossing(trigger: Trigger, g: impl Fn(f64) -> f64) -> Option<f64> {
        let mut watched = Watched::new(0, trigger, g(0.0), None);
        watched.begin(0.0);
        for theta in LOOKS {
            watched.look(theta, g(theta));
        }
        watched.first_crossing(&g).map(|crossing| crossing.theta)
    }

    #[test]
    fn the_first_crossing_of_the_direction_is_found() {
        let wave = |theta: f64| (7.0 * theta + 1.0).sin();
        let zero = |k: f64| (k * std::f64::consts::PI - 1.0) / 7.0;
        for (trigger, expected) in [
            (Trigger::Falling, zero(1.0)),
            (Trigger::Either, zero(1.0)),
            (Trigger::Rising, zero(2.0)),
        ] {
            let found = crossing(trigger, wave).unwrap();
            assert!((found - expected).abs() < 1e-11, "{trigger:?} {found} {expected}");
        }
        assert_eq!(crossing(Trigger::Time, wave), None);
        assert_eq!(crossing(Trigger::Either, |theta| wave(theta) + 1.1), None);
    }

    #[test]
    fn there_and_back_between_two_looks_is_seen() {
        let dip = |theta: f64| (theta - 0.47) * (theta - 0.47) - 1e-4;
        assert!((crossing(Trigger::Falling, dip).unwrap() - 0.46).abs() < 1e-9);
        assert!((crossing(Trigger::Rising, dip).unwrap() - 0.48).abs() < 1e-9);
        assert_eq!(crossing(Trigger::Either, |theta| dip(theta) + 2e-4), None);
    }

    #[test]
    fn what_is_not_a_number_lies_beyond() {
        let root = |theta: f64| (0.35 - theta).sqrt() - 0.1;
        assert!((crossing(Trigger::Falling, root).unwrap() - 0.34).abs() < 1e-9);
        assert_eq!(crossing(Trigger::Rising, root), None);
        // It is not found between two looks only.
        let root = |theta: f64| (0.5 - theta).sqrt() - 0.1;
        assert!((crossing(Trigger::Falling, root).unwrap() - 0.49).abs() < 1e-9);
    }

    #[test]
    fn a_search_ends_at_the_event_or_says_that_there_is_none() {
        let run_from = |start: f64, g: &dyn Fn(f64) -> f64| {
            let mut watched = Watched::new(0, Trigger::Falling, 1.0, None);
            watched.begin(0.0);
            watched.look(1.0, -1.0);
            let crossing = watched.first_crossing(|theta| 1.0 - 2.0 * theta).unwrap();
            let mut search = Search::new(&crossing, 2.0, start);
            let mut length = 1.0;
            for tries in 1..100 {
                match search.next(length, g(length), 1e-15) {
                    Verdict::Try(next) => length = next,
                    verdict => return (verdict, length, tries),
                }
            }
            panic!("a search without end");
        };
        let run = |g: &dyn Fn(f64) -> f64| run_from(1.0, g);
        let (verdict, length, tries) = run(&|x| f64::exp(-x) - 0.3);
        assert_eq!(verdict, Verdict::Found);
        assert!((length + 0.3_f64.ln()).abs() < 1e-14 && tries < 12, "{length} {tries}");
        assert_eq!(run(&|x| 1.0 + x).0, Verdict::Nothing);
        // Across a jump the bracket closes.
        let (verdict, length, _) = run(&|x| if x < 0.7 { 1.0 } else { -1.0 });
        assert!(verdict == Verdict::Found && (length - 0.7).abs() < 1e-11, "{length}");
        // From below, over a bump that is the cubic's alone, or the steps' too.
        assert_eq!(run_from(-1.0, &|x| -0.1 - x).0, Verdict::Nothing);
        let (verdict, length, _) = run_from(-1.0, &|x| 0.1 - (x - 0.7).powi(2));
        assert!(verdict == Verdict::Found && (length - 0.7 - 0.1_f64.sqrt()).abs() < 1e-11);
    }
}
