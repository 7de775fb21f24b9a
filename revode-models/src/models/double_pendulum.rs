//! The double pendulum.

revode::ode! {
    /// Two point masses on massless rods, one hung from the other: angles `theta` from the vertical in
    /// radians, angular velocities `omega` in radians per second; lengths in metres, masses in
    /// kilograms, gravity in metres per second squared.
    ///
    /// With `δ = θ1 − θ2` and `M = m1 + m2`, Lagrange's equations (Landau and Lifshitz, *Mechanics*,
    /// §5, problem 1) are
    ///
    /// ```text
    /// M l1 ω1' + m2 l2 cos δ ω2' = −m2 l2 ω2² sin δ − M g sin θ1
    ///   l1 cos δ ω1' +    l2 ω2' =     l1 ω1² sin δ −   g sin θ2
    /// ```
    ///
    /// solved here for the two accelerations.
    pub struct DoublePendulum {
        state  { theta1, theta2, omega1, omega2 }
        params { length1, length2, mass1, mass2, gravity }
    }
    let s = sin(theta1 - theta2);
    let c = cos(theta1 - theta2);
    let total = mass1 + mass2;
    let upper = -mass2 * length2 * omega2^2 * s - total * gravity * sin(theta1);
    let lower = length1 * omega1^2 * s - gravity * sin(theta2);
    let inertia = total - mass2 * c^2;
    dtheta1/dt = omega1;
    dtheta2/dt = omega2;
    domega1/dt = (upper - mass2 * c * lower) / (length1 * inertia);
    domega2/dt = (total * lower - c * upper) / (length2 * inertia);
}
