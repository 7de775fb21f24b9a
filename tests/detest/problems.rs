//! The 25 problems of DETEST: Hull, Enright, Fellen and Sedgwick, SIAM J. Numer. Anal. 9 (1972) 603–637, without scaling,
//! all over 0..20. What is a number in the paper is a parameter where it is at the centre of the problem.

use revode::prelude::*;
use revode_testing::AnyField;

ode! { struct A1 { state { y } params { k } } dy/dt = -k * y; }
ode! { struct A2 { state { y } params { k } } dy/dt = -k * y^3; }
ode! { struct A3 { state { y } params { k } } dy/dt = k * y * cos(t); }
ode! { struct A4 { state { y } params { k, capacity } } dy/dt = k * y * (1 - y / capacity); }
ode! { struct A5 { state { y } params { k } } dy/dt = k * (y - t) / (y + t); }

ode! {
    struct B1 { state { a, b } params { k } }
    da/dt = k * (a - a * b);
    db/dt = -(b - a * b);
}
ode! {
    struct B2 { state { a, b, c } params { k } }
    da/dt = -a + b;
    db/dt = a - k * b + c;
    dc/dt = b - c;
}
ode! {
    struct B3 { state { a, b, c } params { k } }
    da/dt = -k * a;
    db/dt = k * a - b^2;
    dc/dt = b^2;
}
ode! {
    struct B4 { state { a, b, c } params { k } }
    let r = sqrt(a^2 + b^2);
    da/dt = -b - a * c / r;
    db/dt = a - b * c / r;
    dc/dt = k * a / r;
}
ode! {
    struct B5 { state { a, b, c } params { k } }
    da/dt = b * c;
    db/dt = -a * c;
    dc/dt = -k * a * b;
}

ode! {
    struct C1 { state { y: [10] } params { k } }
    let flow = k * y[..9];
    dy/dt = concat(0, flow) - concat(flow, 0);
}
ode! {
    struct C2 { state { y: [10] } params { rates: [9] } }
    let flow = rates * y[..9];
    dy/dt = concat(0, flow) - concat(flow, 0);
}
ode! {
    struct C3 { state { y: [10] } params { d } }
    dy/dt = d * (concat(0, y[..9]) - 2 * y + concat(y[1..], 0));
}
ode! {
    struct C4 { state { y: [51] } params { d } }
    dy/dt = d * (concat(0, y[..50]) - 2 * y + concat(y[1..], 0));
}
ode! {
    /// The outer planets around the sun. Astronomical units, 100 days, solar masses.
    struct C5 {
        state  { x1: [3], x2: [3], x3: [3], x4: [3], x5: [3], v1: [3], v2: [3], v3: [3], v4: [3], v5: [3] }
        params { g, sun, m1, m2, m3, m4, m5 }
    }
    let f1 = x1 / norm2(x1)^3;
    let f2 = x2 / norm2(x2)^3;
    let f3 = x3 / norm2(x3)^3;
    let f4 = x4 / norm2(x4)^3;
    let f5 = x5 / norm2(x5)^3;
    let f12 = (x2 - x1) / norm2(x2 - x1)^3;
    let f13 = (x3 - x1) / norm2(x3 - x1)^3;
    let f14 = (x4 - x1) / norm2(x4 - x1)^3;
    let f15 = (x5 - x1) / norm2(x5 - x1)^3;
    let f23 = (x3 - x2) / norm2(x3 - x2)^3;
    let f24 = (x4 - x2) / norm2(x4 - x2)^3;
    let f25 = (x5 - x2) / norm2(x5 - x2)^3;
    let f34 = (x4 - x3) / norm2(x4 - x3)^3;
    let f35 = (x5 - x3) / norm2(x5 - x3)^3;
    let f45 = (x5 - x4) / norm2(x5 - x4)^3;
    // The sun is at rest: its acceleration is taken from that of the planets.
    let pull = m1 * f1 + m2 * f2 + m3 * f3 + m4 * f4 + m5 * f5;
    dx1/dt = v1;
    dx2/dt = v2;
    dx3/dt = v3;
    dx4/dt = v4;
    dx5/dt = v5;
    dv1/dt = g * (m2 * f12 + m3 * f13 + m4 * f14 + m5 * f15 - sun * f1 - pull);
    dv2/dt = g * (-m1 * f12 + m3 * f23 + m4 * f24 + m5 * f25 - sun * f2 - pull);
    dv3/dt = g * (-m1 * f13 - m2 * f23 + m4 * f34 + m5 * f35 - sun * f3 - pull);
    dv4/dt = g * (-m1 * f14 - m2 * f24 - m3 * f34 + m5 * f45 - sun * f4 - pull);
    dv5/dt = g * (-m1 * f15 - m2 * f25 - m3 * f35 - m4 * f45 - sun * f5 - pull);
}

ode! {
    /// Kepler's problem: D1 to D5 differ in the eccentricity.
    struct D { state { x, y, u, v } params { k } }
    let r = sqrt(x^2 + y^2);
    dx/dt = u;
    dy/dt = v;
    du/dt = -k * x / r^3;
    dv/dt = -k * y / r^3;
}

ode! {
    /// Bessel's equation of the order 1/2.
    struct E1 { state { y, v } params { order } }
    dy/dt = v;
    dv/dt = -(v / (t + 1) + (1 - (order / (t + 1))^2) * y);
}
ode! {
    struct E2 { state { y, v } params { mu } }
    dy/dt = v;
    dv/dt = mu * (1 - y^2) * v - y;
}
ode! {
    struct E3 { state { y, v } params { amplitude } }
    dy/dt = v;
    dv/dt = y^3 / 6 - y + amplitude * sin(2.78535 * t);
}
ode! {
    struct E4 { state { y, v } params { g, drag } }
    dy/dt = v;
    dv/dt = g - drag * v^2;
}
ode! {
    struct E5 { state { y, v } params { speed } }
    dy/dt = v;
    dv/dt = speed * sqrt(1 + v^2) / (25 - t);
}

/// The first unit vector.
fn first<const N: usize>() -> [f64; N] {
    std::array::from_fn(|i| if i == 0 { 1.0 } else { 0.0 })
}

/// All of them, with their names.
pub(super) fn all() -> Vec<(&'static str, Problem<f64, AnyField>)> {
    let mut all = Vec::new();
    macro_rules! add {
        ($($name:literal: $field:expr, $y0:expr;)*) => {$(
            let y0 = DVector::from_column_slice(&$y0);
            all.push(($name, Problem::new(AnyField::new($field), y0, 0.0..20.0)));
        )*};
    }
    let rates = SVector::from_fn(|i, _| (i + 1) as f64);
    let kepler = |e: f64| [1.0 - e, 0.0, 0.0, ((1.0 + e) / (1.0 - e)).sqrt()];
    add! {
        "A1": A1 { k: 1.0 }, [1.0];
        "A2": A2 { k: 0.5 }, [1.0];
        "A3": A3 { k: 1.0 }, [1.0];
        "A4": A4 { k: 0.25, capacity: 20.0 }, [1.0];
        "A5": A5 { k: 1.0 }, [4.0];
        "B1": B1 { k: 2.0 }, [1.0, 3.0];
        "B2": B2 { k: 2.0 }, [2.0, 0.0, 1.0];
        "B3": B3 { k: 1.0 }, [1.0, 0.0, 0.0];
        "B4": B4 { k: 1.0 }, [3.0, 0.0, 0.0];
        "B5": B5 { k: 0.51 }, [0.0, 1.0, 1.0];
        "C1": C1 { k: 1.0 }, first::<10>();
        "C2": C2 { rates }, first::<10>();
        "C3": C3 { d: 1.0 }, first::<10>();
        "C4": C4 { d: 1.0 }, first::<51>();
        "C5": planets(), PLANETS;
        "D1": D { k: 1.0 }, kepler(0.1);
        "D2": D { k: 1.0 }, kepler(0.3);
        "D3": D { k: 1.0 }, kepler(0.5);
        "D4": D { k: 1.0 }, kepler(0.7);
        "D5": D { k: 1.0 }, kepler(0.9);
        "E1": E1 { order: 0.5 }, [0.671_396_707_141_803, 0.095_400_514_447_474_46];
        "E2": E2 { mu: 1.0 }, [2.0, 0.0];
        "E3": E3 { amplitude: 2.0 }, [0.0, 0.0];
        "E4": E4 { g: 0.032, drag: 0.4 }, [30.0, 0.0];
        "E5": E5 { speed: 1.0 }, [0.0, 0.0];
    }
    all
}

fn planets() -> C5 {
    C5 {
        g: 2.959_122_082_86,
        sun: 1.000_005_976_82,
        m1: 0.000_954_786_104_043,
        m2: 0.000_285_583_733_151,
        m3: 0.000_043_727_316_454_6,
        m4: 0.000_051_775_913_844_9,
        m5: 0.000_002_777_777_777_78,
    }
}

/// Positions and velocities of Jupiter, Saturn, Uranus, Neptune and Pluto.
const PLANETS: [f64; 30] = [
    3.429_474_151_89,
    3.353_869_597_11,
    1.354_949_017_15,
    6.641_454_255_50,
    5.971_569_578_78,
    2.182_314_997_28,
    11.263_043_720_7,
    14.695_257_679_4,
    6.279_605_250_67,
    -30.155_226_875_9,
    1.656_999_664_04,
    1.437_857_527_21,
    -21.123_835_338_0,
    28.446_509_814_2,
    15.388_265_967_9,
    -0.557_160_570_446,
    0.505_696_783_289,
    0.230_578_543_901,
    -0.415_570_776_342,
    0.365_682_722_812,
    0.169_143_213_293,
    -0.325_325_669_158,
    0.189_706_021_964,
    0.087_726_532_278_0,
    -0.024_047_625_417_0,
    -0.287_659_532_608,
    -0.117_219_543_175,
    -0.176_860_753_121,
    -0.216_393_453_025,
    -0.014_864_789_309_0,
];
