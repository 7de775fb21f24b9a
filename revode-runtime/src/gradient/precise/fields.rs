//! The fields, for the library and in numbers of 128 bits.

use super::big::{Big, BigField, big};

crate::ode! {
    pub(super) struct Lorenz {
        state  { x, y, z }
        params { sigma, rho, beta }
    }
    dx/dt = sigma * (y - x);
    dy/dt = x * (rho - z) - y;
    dz/dt = x * y - beta * z;
}

impl BigField for Lorenz<f64> {
    fn eval(p: &[Big], _: &Big, u: &[Big]) -> Vec<Big> {
        let ([sigma, rho, beta], [x, y, z]) = (of(p), of(u));
        vec![sigma * (y - x), x * (rho - z) - y, x * y - beta * z]
    }

    fn vjp(p: &[Big], _: &Big, u: &[Big], v: &[Big], p_bar: &mut [Big]) -> Vec<Big> {
        let ([sigma, rho, beta], [x, y, z], [a, b, c]) = (of(p), of(u), of(v));
        p_bar[0] += (y - x) * a;
        p_bar[1] += x * b;
        p_bar[2] -= z * c;
        vec![(rho - z) * b + y * c - sigma * a, sigma * a - b + x * c, -(x * b) - beta * c]
    }
}

// Van der Pol's oscillator, driven: it contracts on its slow branches, and does not on its fast ones.
crate::ode! {
    pub(super) struct Driven {
        state  { x, v }
        params { mu, amplitude, omega }
    }
    dx/dt = v;
    dv/dt = mu * (1 - x * x) * v - x + amplitude * cos(omega * t);
}

impl BigField for Driven<f64> {
    fn eval(p: &[Big], t: &Big, u: &[Big]) -> Vec<Big> {
        let ([mu, amplitude, omega], [x, v]) = (of(p), of(u));
        let damping = mu * (big(1.0) - x * x);
        vec![v.clone(), damping * v - x + amplitude * (omega * t).cos()]
    }

    fn vjp(p: &[Big], t: &Big, u: &[Big], v_bar: &[Big], p_bar: &mut [Big]) -> Vec<Big> {
        let ([mu, amplitude, omega], [x, v], [a, b]) = (of(p), of(u), of(v_bar));
        let less = big(1.0) - x * x;
        let (sin, cos) = (omega * t).sin_cos();
        p_bar[0] += &less * v * b;
        p_bar[1] += cos * b;
        p_bar[2] -= amplitude * t * sin * b;
        vec![-(big(2.0) * mu * x * v + big(1.0)) * b, a + mu * less * b]
    }
}

/// The numbers of a slice that has so many.
fn of<const N: usize>(x: &[Big]) -> &[Big; N] {
    x.try_into().unwrap()
}
