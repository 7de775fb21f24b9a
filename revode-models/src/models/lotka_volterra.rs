//! Predator and prey.

revode::ode! {
    /// Predators `y` and their prey `x`: Lotka, *Elements of Physical Biology* (1925), and Volterra,
    /// *Fluctuations in the Abundance of a Species considered Mathematically*, Nature 118 (1926).
    ///
    /// Solutions are closed curves `delta x − gamma ln x + beta y − alpha ln y = const`.
    pub struct LotkaVolterra {
        state  { x, y }
        params { alpha, beta, delta, gamma }
    }
    dx/dt = alpha * x - beta * x * y;
    dy/dt = delta * x * y - gamma * y;
}
