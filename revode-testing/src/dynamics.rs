//! Equations of the literature over long horizons, with the settings in which they are known.

use revode::prelude::*;

ode! {
    /// Lorenz 1963: chaotic at `sigma = 10, rho = 28, beta = 8/3`.
    pub struct Lorenz {
        state  { x, y, z }
        params { sigma, rho, beta }
    }
    dx/dt = sigma * (y - x);
    dy/dt = x * (rho - z) - y;
    dz/dt = x * y - beta * z;
}

ode! {
    /// Predators and prey.
    pub struct LotkaVolterra {
        state  { x, y }
        params { alpha, beta, delta, gamma }
    }
    dx/dt = alpha * x - beta * x * y;
    dy/dt = delta * x * y - gamma * y;
}

ode! {
    /// Stiff for large `mu`.
    pub struct VanDerPol {
        state  { x, v }
        params { mu }
    }
    dx/dt = v;
    dv/dt = mu * (1 - x^2) * v - x;
}

ode! {
    /// Robertson's chemical reaction, stiff.
    pub struct Robertson {
        state  { a, b, c }
        params { k1, k2, k3 }
    }
    da/dt = -k1 * a + k3 * b * c;
    db/dt = k1 * a - k3 * b * c - k2 * b^2;
    dc/dt = k2 * b^2;
}

ode! {
    /// As Ramsay, Hooker, Campbell and Cao (2007) fit it.
    pub struct FitzHughNagumo {
        state  { v, r }
        params { a, b, c }
    }
    dv/dt = c * (v - v^3 / 3 + r);
    dr/dt = -(v - a + b * r) / c;
}

ode! {
    /// Linear decay at several rates.
    pub struct Decay {
        state  { u: [4] }
        params { rate: [4] }
    }
    du/dt = -rate * u;
}

ode! {
    /// Two equal masses on rods of length 1.
    pub struct DoublePendulum {
        state  { a, b, p, q }
        params { g, m }
    }
    let s = sin(a - b);
    let c = cos(a - b);
    let d = 1 + m * s^2;
    da/dt = p;
    db/dt = q;
    dp/dt = (m * g * sin(b) * c - m * s * (c * p^2 + q^2) - (1 + m) * g * sin(a)) / d;
    dq/dt = ((1 + m) * (p^2 * s - g * sin(b) + g * sin(a) * c) + m * q^2 * s * c) / d;
}

ode! {
    /// A chemical oscillator.
    pub struct Brusselator {
        state  { x, y }
        params { a, b }
    }
    dx/dt = a + x^2 * y - (b + 1) * x;
    dy/dt = b * x - x^2 * y;
}

ode! {
    /// A body around a fixed one, in the plane.
    pub struct Kepler {
        state  { x, y, u, v }
        params { mass }
    }
    let r2 = x^2 + y^2;
    let k = -mass / (r2 * sqrt(r2));
    dx/dt = u;
    dy/dt = v;
    du/dt = k * x;
    dv/dt = k * y;
}

ode! {
    /// Growth at one rate, or decay where it is negative.
    pub struct Growth {
        state  { y }
        params { rate }
    }
    dy/dt = rate * y;
}

/// Calls a macro with each problem: its name, its field, its initial state, the size of fixed steps.
#[macro_export]
macro_rules! for_each_dynamics {
    ($callback:ident) => {
        $callback! {
            lorenz: Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 }, [1.0, 1.0, 1.0], 0.01;
            lotka_volterra: LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 }, [1.0, 1.0], 0.01;
            van_der_pol_1: VanDerPol { mu: 1.0 }, [2.0, 0.0], 0.02;
            van_der_pol_10: VanDerPol { mu: 10.0 }, [2.0, 0.0], 0.01;
            fitzhugh_nagumo: FitzHughNagumo { a: 0.2, b: 0.2, c: 3.0 }, [-1.0, 1.0], 0.02;
            decay: Decay { rate: [1.0, 5.0, 20.0, 50.0].into() }, [1.0, 1.0, 1.0, 1.0], 0.02;
            double_pendulum: DoublePendulum { g: 9.81, m: 1.0 }, [1.0, 0.5, 0.0, 0.0], 0.01;
            brusselator: Brusselator { a: 1.0, b: 3.0 }, [1.0, 1.0], 0.02;
            kepler: Kepler { mass: 1.0 }, [0.4, 0.0, 0.0, 2.0], 0.01;
        }
    };
}
