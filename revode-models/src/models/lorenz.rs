//! The Lorenz system.

revode::ode! {
    /// Convection rolls in a heated layer of fluid: Lorenz, *Deterministic Nonperiodic Flow*,
    /// J. Atmos. Sci. 20 (1963), equations 25–27. Chaotic at `sigma = 10, rho = 28, beta = 8/3`.
    pub struct Lorenz {
        state  { x, y, z }
        params { sigma, rho, beta }
    }
    dx/dt = sigma * (y - x);
    dy/dt = x * (rho - z) - y;
    dz/dt = x * y - beta * z;
}
