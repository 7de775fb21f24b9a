/// ROS3P, of order 3(2) and A-stable, which keeps its order for parabolic equations.
///
/// Lang and Verwer, *ROS3P: an accurate third-order Rosenbrock solver designed for parabolic problems*, BIT 41 (2001) 731–738.
/// Between the ends of a step it has the chord.
#[crate::rosenbrock(
    order = 3, embedded = 2, stability = A,
    gamma = 1/2 + sqrt(3)/6,
    alpha = [[], [1], [1, 0]],
    gamma_ij = [[], [-1], [-(1/2 + sqrt(3)/6), 1/2 - 2*(1/2 + sqrt(3)/6)]],
    b = [2/3, 0, 1/3],
    b_embedded = [1/3, 1/3, 1/3],
)]
pub struct Ros3P;
