//! What is right: `references.json`, made by `references/make.py` without this library.

use std::collections::BTreeMap;

use serde_json::Value;

/// A problem, as the other program has it, and its gradient.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) y0: Vec<f64>,
    pub(crate) params: Vec<f64>,
    pub(crate) span: [f64; 2],
    pub(crate) loss: f64,
    pub(crate) dy0: Vec<f64>,
    pub(crate) dparams: Vec<f64>,
    /// How far the two ways to it are apart, relative to the largest component of the gradient.
    pub(crate) accuracy: f64,
}

/// All references by name.
pub(crate) fn read() -> BTreeMap<String, Reference> {
    read_file(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gallery/references.json"))
}

/// Those of the second gallery.
pub(crate) fn read_second() -> BTreeMap<String, Reference> {
    read_file(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gallery/second.json"))
}

fn read_file(path: &str) -> BTreeMap<String, Reference> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file.as_object().unwrap().iter().map(|(name, value)| (name.clone(), reference(value))).collect()
}

fn reference(value: &Value) -> Reference {
    let number = |key: &str| value[key].as_f64().unwrap();
    let list = |key: &str| -> Vec<f64> {
        value[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    Reference {
        y0: list("y0"),
        params: list("params"),
        span: list("span").try_into().unwrap(),
        loss: number("loss"),
        dy0: list("dy0"),
        dparams: list("dparams"),
        accuracy: number("accuracy"),
    }
}
