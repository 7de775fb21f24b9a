use revode::ode;

ode! {
    pub struct OtherLanguages {
        state { x, u: [3] }
        params { alpha, w: [3, 3] }
    }
    dx/dt = log(x) + power(x, 2) + arctan(x) + arcsin(x) + sgn(x) + fabs(x) + sigm(x) + step(x);
    du/dt = PI * u + time * u + Sin(u) + sinc(u) + transpose(u) + transpose(x) + expp(u) + transpos(w) @ u;
}

ode! {
    pub struct Powers {
        state { x, y, z, w, v }
    }
    dx/dt = x ** 2;
    dy/dt = math.pi * y;
    dz/dt = z.sin();
    dw/dt = std::f64::consts::PI * w;
    dv/dt = 2 * np.sin(v);
}

ode! {
    pub struct OwnConstants {
        state { x }
        const { tau = 2 * pi, pi = 3.14159 }
    }
    let b = e * x;
    let e = 2;
    dx/dt = b;
}

fn main() {}
