//! The switching functions of a generated field, one by one.

use crate::{Switch, SwitchKind};

/// The `i`th component of switching functions that are given as function, argument, kind and the sizes of the argument:
/// none of a scalar, one of a vector, two of a matrix, column-major.
///
/// # Panics
/// If there are not that many components.
pub fn switch(i: usize, all: &[(&'static str, &str, SwitchKind, &[usize])]) -> Switch {
    let mut component = i;
    for &(function, argument, kind, sizes) in all {
        let count: usize = sizes.iter().product();
        if component < count {
            let argument = part(argument, component, sizes);
            return Switch { function, argument, kind };
        }
        component -= count;
    }
    panic!("there is no switching function {i}")
}

/// The component of an expression, as it would be written.
fn part(argument: &str, component: usize, sizes: &[usize]) -> String {
    let index = match *sizes {
        [] => return argument.to_owned(),
        [rows, _] => format!("{}, {}", component % rows, component / rows),
        _ => component.to_string(),
    };
    let is_name = argument.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name { format!("{argument}[{index}]") } else { format!("({argument})[{index}]") }
}
