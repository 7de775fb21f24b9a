//! A relaxation oscillator.

revode::ode! {
    /// An oscillator with a damping that is negative for small amplitudes: van der Pol, *On
    /// relaxation-oscillations*, Philosophical Magazine 2 (1926). `v` is the velocity; for
    /// `mu` from 0 upwards the limit cycle goes from a circle of radius 2 to a relaxation oscillation.
    pub struct VanDerPol {
        state  { x, v }
        params { mu }
    }
    dx/dt = v;
    dv/dt = mu * (1 - x^2) * v - x;
}
