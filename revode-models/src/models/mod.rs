//! Models: vector fields declared by their equations, one a file.

macro_rules! models {
    ($($file:ident: $($Model:ident),*;)*) => {
        $(mod $file; pub use $file::{$($Model),*};)*
    };
}

models! {
    lorenz: Lorenz;
    lotka_volterra: LotkaVolterra;
    van_der_pol: VanDerPol;
    white_dwarf: WhiteDwarf;
    double_pendulum: DoublePendulum;
    coupled_oscillators: CoupledOscillators;
    mlp: Mlp, TimeMlp;
}
