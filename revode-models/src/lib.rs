//! Models and experiments of `revode`.
