//! The structure of a white dwarf.

revode::ode! {
    /// Chandrasekhar's equation for a star held up by degenerate electrons: *An Introduction to the
    /// Study of Stellar Structure* (1939), chapter XI, equation 26,
    ///
    /// ```text
    /// (1/η²) d/dη (η² dφ/dη) = −(φ² − C)^(3/2),     φ(0) = 1, φ'(0) = 0
    /// ```
    ///
    /// as a system of first order; time stands for the radius `η`, which starts above 0. `c` is
    /// `C = 1/y_0²`; the surface is where `φ² = C`. With `C = 0` it is the polytrope of index 3.
    pub struct WhiteDwarf {
        state  { phi, slope }
        params { c }
    }
    dphi/dt = slope;
    dslope/dt = -(max(phi^2 - c, 0)^1.5) - 2 * slope / t;
}
