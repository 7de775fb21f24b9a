//! Losses of the state at the save points.

use revode::Real;
use revode::prelude::*;

/// The squared length of the state.
pub fn squared_length<T: Real, S: State<T>>() -> impl Loss<T, S> + Copy {
    let value = |y: &S| y.as_slice().iter().map(|y| *y * *y).sum::<T>();
    Terminal::new(value, |y: &S| {
        let mut gradient = y.clone();
        gradient.as_mut_slice().iter_mut().for_each(|y| *y += *y);
        gradient
    })
}

/// Component `i` of the state, counted from 0.
pub fn component<T: Real, S: State<T>>(i: usize) -> impl Loss<T, S> + Copy {
    let value = move |y: &S| y.as_slice()[i];
    Terminal::new(value, move |y: &S| {
        let mut gradient = y.zeros_like();
        gradient.as_mut_slice()[i] = T::ONE;
        gradient
    })
}
