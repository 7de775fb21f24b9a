//! Rooted trees, in which the order conditions of Runge–Kutta methods are indexed.
//!
//! Source: Butcher, *Numerical Methods for Ordinary Differential Equations* (2016), chapter 3;
//! Hairer, Nørsett and Wanner, *Solving Ordinary Differential Equations I*, section II.2.

use std::fmt::Write as _;
use std::ops::Range;

/// All rooted trees up to some order (number of vertices), by order. Tree 0 is the single vertex.
#[derive(Debug)]
pub(super) struct Trees {
    trees: Vec<Tree>,
    /// `starts[n]..starts[n + 1]` are the trees of order `n`.
    starts: Vec<usize>,
}

/// A rooted tree as the Butcher product of two smaller ones: `rest` with `last` grafted to its
/// root. Subtrees hang on the root from the largest index to the smallest, so each tree has one
/// such form, and what is computed for `rest` and `last` is shared by all trees made of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree {
    /// The number of vertices.
    pub order: usize,
    /// The tree without its last subtree, and that subtree; `None` for the single vertex.
    pub parts: Option<(usize, usize)>,
    /// `γ(τ)`: the order times the densities of the subtrees.
    pub density: u64,
}

impl Trees {
    /// The trees with at most `order` vertices.
    pub(super) fn up_to(order: usize) -> Self {
        let mut all =
            Self { trees: vec![Tree { order: 1, parts: None, density: 1 }], starts: vec![0, 0, 1] };
        for n in 2..=order {
            for m in 1..n {
                for rest in all.of_order(m) {
                    for last in all.of_order(n - m) {
                        all.graft(rest, last);
                    }
                }
            }
            all.starts.push(all.trees.len());
        }
        all
    }

    /// The tree with this index.
    pub(super) fn get(&self, tree: usize) -> Tree {
        self.trees[tree]
    }

    /// The order up to which trees are listed.
    pub(super) fn max_order(&self) -> usize {
        self.starts.len() - 2
    }

    /// The indices of the trees of this order.
    pub(super) fn of_order(&self, order: usize) -> Range<usize> {
        self.starts[order]..self.starts[order + 1]
    }

    /// The indices of the trees of at most this order.
    pub(super) fn of_at_most(&self, order: usize) -> Range<usize> {
        0..self.starts[order + 1]
    }

    /// The subtrees of the root, the largest index first.
    pub(super) fn subtrees(&self, tree: usize) -> Vec<usize> {
        let mut subtrees = Vec::new();
        let mut tree = tree;
        while let Some((rest, last)) = self.trees[tree].parts {
            subtrees.push(last);
            tree = rest;
        }
        subtrees.reverse();
        subtrees
    }

    /// The tree in brackets: `•` is a vertex without subtrees, `[…]` a vertex with those inside.
    pub(super) fn brackets(&self, tree: usize) -> String {
        let subtrees = self.subtrees(tree);
        if subtrees.is_empty() {
            return "•".to_owned();
        }
        format!("[{}]", subtrees.iter().map(|&t| self.brackets(t)).collect::<String>())
    }

    /// The tree's elementary weight as a sum, such as `Σ b_i a_ij c_j c_i`.
    pub(super) fn formula(&self, tree: usize) -> String {
        let mut letters = "ijklmnpqrs".chars();
        let root = letters.next().unwrap_or('i');
        let mut text = format!("Σ b_{root}");
        self.factors(tree, root, &mut letters, &mut text);
        text
    }

    /// Appends the factors of the subtrees of a vertex whose index is `parent`.
    fn factors(
        &self,
        tree: usize,
        parent: char,
        letters: &mut std::str::Chars<'_>,
        text: &mut String,
    ) {
        let (leaves, inner): (Vec<_>, Vec<_>) =
            self.subtrees(tree).into_iter().partition(|&subtree| subtree == 0);
        for subtree in inner {
            let child = letters.next().unwrap_or('?');
            let _ = write!(text, " a_{parent}{child}");
            self.factors(subtree, child, letters, text);
        }
        let _ = match leaves.len() {
            0 => Ok(()),
            1 => write!(text, " c_{parent}"),
            n => write!(text, " c_{parent}^{n}"),
        };
    }

    /// Adds the product of `rest` and `last` if it is in the one form of its tree.
    fn graft(&mut self, rest: usize, last: usize) {
        let (a, b) = (self.trees[rest], self.trees[last]);
        if a.parts.is_some_and(|(_, previous)| last > previous) {
            return;
        }
        let order = a.order + b.order;
        let density = a.density / a.order as u64 * b.density * order as u64;
        self.trees.push(Tree { order, parts: Some((rest, last)), density });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of rooted trees: OEIS A000081.
    #[test]
    fn counts() {
        let trees = Trees::up_to(11);
        let counts: Vec<_> = (1..=11).map(|n| trees.of_order(n).len()).collect();
        assert_eq!(counts, [1, 1, 2, 4, 9, 20, 48, 115, 286, 719, 1842]);
        assert_eq!(trees.of_at_most(8).len(), 200);
    }

    /// Σ over the trees of order n of n! / (σ γ) counts increasing labellings: (n − 1)!.
    #[test]
    fn densities() {
        let trees = Trees::up_to(9);
        for n in 1..=9usize {
            let factorial = (1..=n as u64).product::<u64>();
            let labellings: u64 = trees
                .of_order(n)
                .map(|t| factorial / (symmetry(&trees, t) * trees.get(t).density))
                .sum();
            assert_eq!(labellings, factorial / n as u64);
        }
    }

    /// σ(τ): the number of automorphisms.
    fn symmetry(trees: &Trees, tree: usize) -> u64 {
        let subtrees = trees.subtrees(tree);
        let mut run = 0;
        subtrees
            .iter()
            .enumerate()
            .map(|(i, &t)| {
                run = if i > 0 && subtrees[i - 1] == t { run + 1 } else { 1 };
                symmetry(trees, t) * run
            })
            .product()
    }

    #[test]
    fn notation() {
        let trees = Trees::up_to(4);
        let all: Vec<_> = trees
            .of_order(4)
            .map(|t| (trees.brackets(t), trees.formula(t), trees.get(t).density))
            .collect();
        let expected = [
            ("[[[•]]]", "Σ b_i a_ij a_jk c_k", 24),
            ("[[••]]", "Σ b_i a_ij c_j^2", 12),
            ("[[•]•]", "Σ b_i a_ij c_j c_i", 8),
            ("[•••]", "Σ b_i c_i^3", 4),
        ];
        for (brackets, formula, density) in expected {
            assert!(all.contains(&(brackets.to_owned(), formula.to_owned(), density)), "{all:?}");
        }
    }
}
