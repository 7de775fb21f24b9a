//! A field whose model is known at run time only, so that each strategy is compiled once and not once a problem.
//!
//! The equations are those of `ode!`, called through a table of functions: the same numbers, to the last bit. What the
//! library asks of a field beyond its evaluation and VJP has to be handed on here too; a default method of a trait that
//! is not would be tested in place of the model's own.

use std::any::Any;
use std::fmt::Debug;

use revode::field::FieldJvp;
use revode::nalgebra::DVector;
use revode::prelude::*;
use revode::{Event, Sides, Switch};

/// Any model of `ode!` with a state of constant size.
#[derive(Debug)]
pub struct AnyField(Box<dyn Model>);

impl AnyField {
    /// The field `field`, its type erased.
    pub fn new<F, const N: usize>(field: F) -> Self
    where
        F: FieldVjp<f64, State = SVector<f64, N>> + FieldJvp<f64> + Debug + 'static,
        F::Tape: 'static,
    {
        Self(Box::new(field))
    }
}

impl Clone for AnyField {
    fn clone(&self) -> Self {
        Self(self.0.boxed())
    }
}

impl VectorField<f64> for AnyField {
    type State = DVector<f64>;

    /// Of a model without jumps there are none to find.
    const JUMPS: bool = true;

    fn eval(&self, t: f64, y: &DVector<f64>, dy: &mut DVector<f64>) {
        self.0.eval(None, t, y.as_slice(), dy.as_mut_slice());
    }
    fn eval_on(&self, sides: Sides, t: f64, y: &DVector<f64>, dy: &mut DVector<f64>) {
        self.0.eval(Some(sides), t, y.as_slice(), dy.as_mut_slice());
    }
    fn switch_count(&self) -> usize {
        self.0.switch_count()
    }
    fn switches(&self, t: f64, y: &DVector<f64>, values: &mut [f64]) {
        self.0.switches(t, y.as_slice(), values);
    }
    fn switch(&self, i: usize) -> Switch {
        self.0.switch(i)
    }
    fn event_count(&self) -> usize {
        self.0.event_count()
    }
    fn event(&self, i: usize) -> Event {
        self.0.event(i)
    }
    fn trigger(&self, i: usize, t: f64, y: &DVector<f64>) -> f64 {
        self.0.trigger(None, i, t, y.as_slice())
    }
    fn trigger_on(&self, sides: Sides, i: usize, t: f64, y: &DVector<f64>) -> f64 {
        self.0.trigger(Some(sides), i, t, y.as_slice())
    }
    fn reset(&self, i: usize, t: f64, y: &mut DVector<f64>) {
        self.0.reset(i, t, y.as_mut_slice());
    }
}

impl Parameters<f64> for AnyField {
    /// The names belong to a type, and this one has those of all models: messages count the slices instead.
    fn names() -> &'static [&'static str] {
        &["p0", "p1", "p2", "p3", "p4", "p5"]
    }
    fn slices(&self) -> impl Iterator<Item = &[f64]> {
        self.0.slices().into_iter()
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.0.slices_mut().into_iter()
    }
}

impl FieldVjp<f64> for AnyField {
    type Tape = Box<dyn Any>;

    fn tape(&self) -> Self::Tape {
        self.0.tape()
    }

    fn eval_taped(&self, t: f64, y: &DVector<f64>, dy: &mut DVector<f64>, tape: &mut Self::Tape) {
        self.0.eval_taped(None, t, y.as_slice(), dy.as_mut_slice(), &mut **tape);
    }

    fn eval_taped_on(
        &self,
        sides: Sides,
        t: f64,
        y: &DVector<f64>,
        dy: &mut DVector<f64>,
        tape: &mut Self::Tape,
    ) {
        self.0.eval_taped(Some(sides), t, y.as_slice(), dy.as_mut_slice(), &mut **tape);
    }

    fn vjp(
        &self,
        t: f64,
        y: &DVector<f64>,
        tape: &mut Self::Tape,
        dy_bar: &DVector<f64>,
        y_bar: &mut DVector<f64>,
        model_bar: &mut Self,
    ) -> f64 {
        let out = (y_bar.as_mut_slice(), model_bar.0.as_any_mut());
        self.0.vjp(None, t, y.as_slice(), &mut **tape, dy_bar.as_slice(), out)
    }

    fn vjp_on(
        &self,
        sides: Sides,
        t: f64,
        y: &DVector<f64>,
        tape: &mut Self::Tape,
        dy_bar: &DVector<f64>,
        y_bar: &mut DVector<f64>,
        model_bar: &mut Self,
    ) -> f64 {
        let out = (y_bar.as_mut_slice(), model_bar.0.as_any_mut());
        self.0.vjp(Some(sides), t, y.as_slice(), &mut **tape, dy_bar.as_slice(), out)
    }

    fn trigger_vjp(
        &self,
        i: usize,
        t: f64,
        y: &DVector<f64>,
        bar: f64,
        y_bar: &mut DVector<f64>,
        model_bar: &mut Self,
    ) -> Option<f64> {
        let out = (y_bar.as_mut_slice(), model_bar.0.as_any_mut());
        self.0.trigger_vjp(i, t, y.as_slice(), bar, out)
    }

    fn reset_vjp(
        &self,
        i: usize,
        t: f64,
        y: &DVector<f64>,
        after_bar: &DVector<f64>,
        y_bar: &mut DVector<f64>,
        model_bar: &mut Self,
    ) -> Option<f64> {
        let out = (y_bar.as_mut_slice(), model_bar.0.as_any_mut());
        self.0.reset_vjp(i, t, y.as_slice(), after_bar.as_slice(), out)
    }
}

impl FieldJvp<f64> for AnyField {
    fn jvp(
        &self,
        t: f64,
        y: &DVector<f64>,
        t_dot: f64,
        y_dot: &DVector<f64>,
        model_dot: &Self,
        dy_dot: &mut DVector<f64>,
    ) {
        let (y_dot, dy_dot) = (y_dot.as_slice(), dy_dot.as_mut_slice());
        self.0.jvp(t, y.as_slice(), t_dot, y_dot, model_dot.0.as_any(), dy_dot);
    }
}

/// The cotangents that a product writes to and adds to: of the state and of the model.
type Bars<'a> = (&'a mut [f64], &'a mut dyn Any);

/// The traits of a field over slices, and without types of its own; without sides, on those of the state.
trait Model: Debug {
    fn boxed(&self) -> Box<dyn Model>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn slices(&self) -> Vec<&[f64]>;
    fn slices_mut(&mut self) -> Vec<&mut [f64]>;
    fn eval(&self, sides: Option<Sides>, t: f64, y: &[f64], dy: &mut [f64]);
    fn switch_count(&self) -> usize;
    fn switches(&self, t: f64, y: &[f64], values: &mut [f64]);
    fn switch(&self, i: usize) -> Switch;
    fn event_count(&self) -> usize;
    fn event(&self, i: usize) -> Event;
    fn trigger(&self, sides: Option<Sides>, i: usize, t: f64, y: &[f64]) -> f64;
    fn reset(&self, i: usize, t: f64, y: &mut [f64]);
    fn tape(&self) -> Box<dyn Any>;
    fn eval_taped(
        &self,
        sides: Option<Sides>,
        t: f64,
        y: &[f64],
        dy: &mut [f64],
        tape: &mut dyn Any,
    );
    fn vjp(
        &self,
        sides: Option<Sides>,
        t: f64,
        y: &[f64],
        tape: &mut dyn Any,
        dy_bar: &[f64],
        out: Bars<'_>,
    ) -> f64;
    fn trigger_vjp(&self, i: usize, t: f64, y: &[f64], bar: f64, out: Bars<'_>) -> Option<f64>;
    fn reset_vjp(
        &self,
        i: usize,
        t: f64,
        y: &[f64],
        after_bar: &[f64],
        out: Bars<'_>,
    ) -> Option<f64>;
    fn jvp(
        &self,
        t: f64,
        y: &[f64],
        t_dot: f64,
        y_dot: &[f64],
        model_dot: &dyn Any,
        dy_dot: &mut [f64],
    );
}

/// What was erased has its own type again: only models and tapes of one field meet.
const SAME: &str = "a model and a tape of the same type";

impl<F, const N: usize> Model for F
where
    F: FieldVjp<f64, State = SVector<f64, N>> + FieldJvp<f64> + Debug + 'static,
    F::Tape: 'static,
{
    fn boxed(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn slices(&self) -> Vec<&[f64]> {
        Parameters::slices(self).collect()
    }
    fn slices_mut(&mut self) -> Vec<&mut [f64]> {
        Parameters::slices_mut(self).collect()
    }

    fn eval(&self, sides: Option<Sides>, t: f64, y: &[f64], dy: &mut [f64]) {
        let (y, mut out) = (SVector::from_column_slice(y), SVector::zeros());
        match sides {
            Some(sides) => self.eval_on(sides, t, &y, &mut out),
            None => VectorField::eval(self, t, &y, &mut out),
        }
        dy.copy_from_slice(out.as_slice());
    }

    fn switch_count(&self) -> usize {
        VectorField::switch_count(self)
    }
    fn switches(&self, t: f64, y: &[f64], values: &mut [f64]) {
        VectorField::switches(self, t, &SVector::from_column_slice(y), values);
    }
    fn switch(&self, i: usize) -> Switch {
        VectorField::switch(self, i)
    }
    fn event_count(&self) -> usize {
        VectorField::event_count(self)
    }
    fn event(&self, i: usize) -> Event {
        VectorField::event(self, i)
    }
    fn trigger(&self, sides: Option<Sides>, i: usize, t: f64, y: &[f64]) -> f64 {
        let y = SVector::from_column_slice(y);
        match sides {
            Some(sides) => self.trigger_on(sides, i, t, &y),
            None => VectorField::trigger(self, i, t, &y),
        }
    }
    fn reset(&self, i: usize, t: f64, y: &mut [f64]) {
        let mut after = SVector::from_column_slice(y);
        VectorField::reset(self, i, t, &mut after);
        y.copy_from_slice(after.as_slice());
    }
    fn tape(&self) -> Box<dyn Any> {
        Box::new(FieldVjp::tape(self))
    }

    fn eval_taped(
        &self,
        sides: Option<Sides>,
        t: f64,
        y: &[f64],
        dy: &mut [f64],
        tape: &mut dyn Any,
    ) {
        let (y, mut out) = (SVector::from_column_slice(y), SVector::zeros());
        let tape = tape.downcast_mut().expect(SAME);
        match sides {
            Some(sides) => self.eval_taped_on(sides, t, &y, &mut out, tape),
            None => FieldVjp::eval_taped(self, t, &y, &mut out, tape),
        }
        dy.copy_from_slice(out.as_slice());
    }

    fn vjp(
        &self,
        sides: Option<Sides>,
        t: f64,
        y: &[f64],
        tape: &mut dyn Any,
        dy_bar: &[f64],
        (y_bar, model_bar): Bars<'_>,
    ) -> f64 {
        let (mut out, tape) = (SVector::zeros(), tape.downcast_mut().expect(SAME));
        let (y, dy_bar) = (SVector::from_column_slice(y), SVector::from_column_slice(dy_bar));
        let model_bar = model_bar.downcast_mut().expect(SAME);
        let t_bar = match sides {
            Some(sides) => self.vjp_on(sides, t, &y, tape, &dy_bar, &mut out, model_bar),
            None => FieldVjp::vjp(self, t, &y, tape, &dy_bar, &mut out, model_bar),
        };
        y_bar.copy_from_slice(out.as_slice());
        t_bar
    }

    fn trigger_vjp(
        &self,
        i: usize,
        t: f64,
        y: &[f64],
        bar: f64,
        (y_bar, model_bar): Bars<'_>,
    ) -> Option<f64> {
        let (y, mut out) = (SVector::from_column_slice(y), SVector::zeros());
        let model_bar = model_bar.downcast_mut().expect(SAME);
        let t_bar = FieldVjp::trigger_vjp(self, i, t, &y, bar, &mut out, model_bar);
        y_bar.copy_from_slice(out.as_slice());
        t_bar
    }

    fn reset_vjp(
        &self,
        i: usize,
        t: f64,
        y: &[f64],
        after_bar: &[f64],
        (y_bar, model_bar): Bars<'_>,
    ) -> Option<f64> {
        let (y, mut out) = (SVector::from_column_slice(y), SVector::zeros());
        let after_bar = SVector::from_column_slice(after_bar);
        let model_bar = model_bar.downcast_mut().expect(SAME);
        let t_bar = FieldVjp::reset_vjp(self, i, t, &y, &after_bar, &mut out, model_bar);
        y_bar.copy_from_slice(out.as_slice());
        t_bar
    }

    fn jvp(
        &self,
        t: f64,
        y: &[f64],
        t_dot: f64,
        y_dot: &[f64],
        model_dot: &dyn Any,
        dy_dot: &mut [f64],
    ) {
        let mut out = SVector::zeros();
        let (y, y_dot) = (SVector::from_column_slice(y), SVector::from_column_slice(y_dot));
        let model_dot = model_dot.downcast_ref().expect(SAME);
        FieldJvp::jvp(self, t, &y, t_dot, &y_dot, model_dot, &mut out);
        dy_dot.copy_from_slice(out.as_slice());
    }
}
