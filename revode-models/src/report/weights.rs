//! Weights as safetensors.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, TensorView};

use super::ReportError;

/// A named array of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name of the parameter.
    pub name: &'static str,
    /// Rows, and columns where it is a matrix.
    pub shape: Vec<usize>,
    /// The values, row by row.
    pub values: Vec<f64>,
}

impl Tensor {
    /// A vector of the values.
    pub fn vector(name: &'static str, values: &[f64]) -> Self {
        Self { name, shape: vec![values.len()], values: values.to_vec() }
    }

    /// A matrix with as many rows as `rows`, from its columns one after the other, as
    /// [`Parameters`](revode::Parameters) has them.
    pub fn matrix(name: &'static str, rows: usize, columns_first: &[f64]) -> Self {
        let columns = columns_first.len() / rows;
        let at = |i| columns_first[(i % columns) * rows + i / columns];
        let values = (0..columns_first.len()).map(at).collect();
        Self { name, shape: vec![rows, columns], values }
    }
}

/// The bytes of a safetensors file of 64-bit numbers, whose metadata name the experiment; the rest is
/// in the summary. (Of several entries the order would change from run to run.)
///
/// # Errors
/// [`ReportError::Encoding`].
pub fn safetensors(tensors: &[Tensor], experiment: &str) -> Result<Vec<u8>, ReportError> {
    let encoding = |error: safetensors::SafeTensorError| ReportError::Encoding {
        name: "weights.safetensors",
        problem: error.to_string(),
    };
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|(tensor, bytes)| {
            let view =
                TensorView::new(Dtype::F64, tensor.shape.clone(), bytes).map_err(encoding)?;
            Ok((tensor.name, view))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let metadata = HashMap::from([("experiment".to_owned(), experiment.to_owned())]);
    safetensors::serialize(views, Some(metadata)).map_err(encoding)
}

#[cfg(test)]
mod tests {
    use super::{Tensor, safetensors};

    #[test]
    fn matrices_are_written_row_by_row() {
        let w = Tensor::matrix("w", 2, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(
            (w.shape.as_slice(), w.values.as_slice()),
            (&[2, 3][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..])
        );
        let bytes = safetensors(&[w, Tensor::vector("b", &[0.5])], "a test").unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let w = file.tensor("w").unwrap();
        assert_eq!(w.shape(), [2, 3]);
        assert_eq!(w.data()[8..16], 2.0_f64.to_le_bytes());
        assert_eq!(file.tensor("b").unwrap().data(), 0.5_f64.to_le_bytes());
    }
}
