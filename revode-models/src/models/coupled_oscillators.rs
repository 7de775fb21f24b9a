//! Two masses between springs.

revode::ode! {
    /// Two masses in a row between two walls, joined by three springs; displacements `x1, x2` and
    /// velocities `v1, v2`. Textbook: Goldstein, *Classical Mechanics*, chapter 6. The real system of
    /// Schmidt and Lipson, Science 324 (2009), adds friction, here linear in the velocity.
    pub struct CoupledOscillators {
        state  { x1, x2, v1, v2 }
        params { mass1, mass2, spring1, spring2, coupling, friction }
    }
    dx1/dt = v1;
    dx2/dt = v2;
    let pull = coupling * (x2 - x1);
    dv1/dt = (pull - spring1 * x1 - friction * v1) / mass1;
    dv2/dt = (-pull - spring2 * x2 - friction * v2) / mass2;
}
