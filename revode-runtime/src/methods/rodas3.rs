/// Rodas3, of order 3(2), stiffly accurate and L-stable.
///
/// Sandu, Verwer, Blom, Spee, Carmichael and Potra, *Benchmarking stiff ODE solvers for atmospheric chemistry problems II*, Atmos. Environ. 31
/// (1997) 3459–3472. Between the ends of a step it has the chord.
#[crate::rosenbrock(
    order = 3, embedded = 2, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
    m_embedded = [2, 0, 1, 0],
)]
pub struct Rodas3;
