//! States that are small beside an absolute tolerance, and pulses beside a span.

use revode::prelude::*;

use super::ordinary::{Growth, Sir};
use crate::entry::Kind::{Pulse, Small};
use crate::entry::Of::Component;
use crate::entry::{Entry, entry};

ode! {
    /// A pulse that decay forgets slowly.
    struct GaussianPulse {
        state  { y }
        params { decay, amp, centre, width }
    }
    dy/dt = -decay * y + amp * exp(-((t - centre) / width)^2);
}

ode! {
    /// A dose that goes through the gut into the blood.
    struct Infusion {
        state  { gut, blood }
        params { absorbed, cleared, dose, centre }
    }
    dgut/dt = dose * exp(-(t - centre)^2) - absorbed * gut;
    dblood/dt = absorbed * gut - cleared * blood;
}

pub(super) fn problems() -> Vec<Entry> {
    let sir = Sir { beta: 0.5, gamma: 0.1 };
    let pulse = GaussianPulse { decay: 0.05, amp: 1.0, centre: 20.0, width: 2.0 };
    let infusion = Infusion { absorbed: 0.5, cleared: 0.2, dose: 3.0, centre: 10.0 };
    vec![
        entry("sir from 1e-8", Small, sir, [1.0 - 1e-8, 1e-8], 0.0..30.0, Component(1)),
        entry("growth from 1e-8", Small, Growth { rate: 1.0 }, [1e-8], 0.0..10.0, Component(0)),
        entry("gaussian pulse", Pulse, pulse, [0.0], 0.0..40.0, Component(0)),
        entry("infusion", Pulse, infusion, [0.0, 0.0], 0.0..30.0, Component(1)),
    ]
}
