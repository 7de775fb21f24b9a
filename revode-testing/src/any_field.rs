//! A field whose model is known at run time only, so that each strategy is compiled once and not once a problem.
//!
//! The equations are those of `ode!`, called through a table of functions: the same numbers, to the last bit. What the
//! library asks of a field beyond its evaluation and VJP has to be handed on here too; a default method of a trait that
//! is not would be tested in place of the model's own.

use std::any::Any;
use std::fmt::Debug;

use revode::Switch;
use revode::field::FieldJvp;
use revode::nalgebra::DVector;
use revode::prelude::*;

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

    fn eval(&self, t: f64, y: &DVector<f64>, dy: &mut DVector<f64>) {
        self.0.eval(t, y.as_slice(), dy.as_mut_slice());
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
        self.0.eval_taped(t, y.as_slice(), dy.as_mut_slice(), &mut **tape);
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
        let model_bar = model_bar.0.as_any_mut();
        self.0.vjp(t, y.as_slice(), &mut **tape, dy_bar.as_slice(), y_bar.as_mut_slice(), model_bar)
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

/// The traits of a field over slices, and without types of its own.
trait Model: Debug {
    fn boxed(&self) -> Box<dyn Model>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn slices(&self) -> Vec<&[f64]>;
    fn slices_mut(&mut self) -> Vec<&mut [f64]>;
    fn eval(&self, t: f64, y: &[f64], dy: &mut [f64]);
    fn switch_count(&self) -> usize;
    fn switches(&self, t: f64, y: &[f64], values: &mut [f64]);
    fn switch(&self, i: usize) -> Switch;
    fn tape(&self) -> Box<dyn Any>;
    fn eval_taped(&self, t: f64, y: &[f64], dy: &mut [f64], tape: &mut dyn Any);
    fn vjp(
        &self,
        t: f64,
        y: &[f64],
        tape: &mut dyn Any,
        dy_bar: &[f64],
        y_bar: &mut [f64],
        model_bar: &mut dyn Any,
    ) -> f64;
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

    fn eval(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        let mut out = SVector::zeros();
        VectorField::eval(self, t, &SVector::from_column_slice(y), &mut out);
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
    fn tape(&self) -> Box<dyn Any> {
        Box::new(FieldVjp::tape(self))
    }

    fn eval_taped(&self, t: f64, y: &[f64], dy: &mut [f64], tape: &mut dyn Any) {
        let (mut out, tape) = (SVector::zeros(), tape.downcast_mut().expect(SAME));
        FieldVjp::eval_taped(self, t, &SVector::from_column_slice(y), &mut out, tape);
        dy.copy_from_slice(out.as_slice());
    }

    fn vjp(
        &self,
        t: f64,
        y: &[f64],
        tape: &mut dyn Any,
        dy_bar: &[f64],
        y_bar: &mut [f64],
        model_bar: &mut dyn Any,
    ) -> f64 {
        let (mut out, tape) = (SVector::zeros(), tape.downcast_mut().expect(SAME));
        let (y, dy_bar) = (SVector::from_column_slice(y), SVector::from_column_slice(dy_bar));
        let model_bar = model_bar.downcast_mut().expect(SAME);
        let t_bar = FieldVjp::vjp(self, t, &y, tape, &dy_bar, &mut out, model_bar);
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
