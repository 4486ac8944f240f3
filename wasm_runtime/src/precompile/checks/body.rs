//! Where the body of a function needs checks, so that none of its paths goes on for long without one.

use std::collections::HashSet;
use wasmparser::{Catch, FunctionBody, Operator, Result};

/// Operators of a function without calls that needs no check at its entry: the time that one takes belongs to its caller.
const SMALL: u32 = 128;

/// Operators, calls of small functions counted as these, that may follow each other without a check.
const STRAIGHT: u32 = 4096;

/// Offsets in the file of the operators before which a check is due, ascending, each once.
pub(super) fn checks(body: &FunctionBody<'_>) -> Result<Vec<usize>> {
    let mut walk = Walk::new(Outline::of(body)?);
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, offset) = operator?;
        walk.step(&operator, offset)?;
    }
    Ok(walk.checks)
}

/// What has to be known of a body before its first check is placed.
struct Outline {
    is_small_leaf: bool,
    /// Loops, by their order, that are gone back to otherwise than by a plain branch: what is checked is the loop itself.
    checked_loops: HashSet<u32>,
}

impl Outline {
    fn of(body: &FunctionBody<'_>) -> Result<Self> {
        let (mut operators, mut calls) = (0, false);
        let (mut loops, mut labels) = (0, vec![None]);
        let mut checked_loops = HashSet::new();
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            operators += 1;
            calls |= is_call(&operator);
            for depth in labels_taken_otherwise(&operator) {
                checked_loops.extend(label(&labels, depth));
            }
            match operator {
                Operator::Loop { .. } => {
                    labels.push(Some(loops));
                    loops += 1;
                }
                Operator::End => drop(labels.pop()),
                _ if begins_block(&operator) => labels.push(None),
                _ => {}
            }
        }
        Ok(Outline {
            is_small_leaf: !calls && operators <= SMALL,
            checked_loops,
        })
    }
}

/// One pass over a body.
struct Walk {
    outline: Outline,
    loops: u32,
    blocks: Vec<Block>,
    /// Operators since the last check, on the longest way.
    weight: u32,
    /// A check is due before the next operator.
    due: bool,
    checks: Vec<usize>,
}

/// A block that the walk is in.
struct Block {
    is_loop: bool,
    /// The weight at its beginning.
    before: u32,
    /// The most in it so far. Somebody may leave it from there.
    most: u32,
}

impl Walk {
    fn new(outline: Outline) -> Self {
        Walk {
            loops: 0,
            blocks: vec![Block::new(false, 0)],
            weight: 0,
            due: !outline.is_small_leaf,
            checks: Vec::new(),
            outline,
        }
    }

    fn step(&mut self, operator: &Operator<'_>, offset: usize) -> Result<()> {
        let cost = if is_call(operator) { SMALL } else { 1 };
        let is_long = self.weight + cost > STRAIGHT;
        if self.due || is_long || is_unbounded(operator) || self.goes_back(operator)? {
            self.checks.push(offset);
            self.weight = 0;
        }
        self.due = false;
        self.weight += cost;
        if let Some(block) = self.blocks.last_mut() {
            block.most = block.most.max(self.weight);
        }
        match operator {
            Operator::Loop { .. } => {
                self.due = self.outline.checked_loops.contains(&self.loops);
                self.loops += 1;
                self.blocks.push(Block::new(true, self.weight));
            }
            Operator::Else => self.weight = self.blocks.last().map_or(0, |block| block.before),
            Operator::End => self.leave(),
            _ if begins_block(operator) => self.blocks.push(Block::new(false, self.weight)),
            _ => {}
        }
        Ok(())
    }

    /// Behind a block, the way there may have been any in it.
    fn leave(&mut self) {
        let Some(block) = self.blocks.pop() else {
            return;
        };
        self.weight = block.most;
        if let Some(around) = self.blocks.last_mut() {
            around.most = around.most.max(block.most);
        }
    }

    fn goes_back(&self, operator: &Operator<'_>) -> Result<bool> {
        let to_loop = |depth: u32| {
            let index = self.blocks.len().checked_sub(1 + depth as usize);
            index.is_some_and(|index| self.blocks[index].is_loop)
        };
        Ok(match operator {
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                to_loop(*relative_depth)
            }
            Operator::BrTable { targets } => {
                let mut back = to_loop(targets.default());
                for depth in targets.targets() {
                    back |= to_loop(depth?);
                }
                back
            }
            _ => false,
        })
    }
}

impl Block {
    fn new(is_loop: bool, weight: u32) -> Self {
        Block {
            is_loop,
            before: weight,
            most: weight,
        }
    }
}

fn label(labels: &[Option<u32>], depth: u32) -> Option<u32> {
    let index = labels.len().checked_sub(1 + depth as usize)?;
    labels[index]
}

/// Where an operator goes that has no place for a check before just this way. Legacy exceptions, garbage-collected types and stack
/// switches have more of them, and are refused.
fn labels_taken_otherwise(operator: &Operator<'_>) -> Vec<u32> {
    match operator {
        Operator::BrOnNull { relative_depth } | Operator::BrOnNonNull { relative_depth } => {
            vec![*relative_depth]
        }
        Operator::TryTable { try_table } => {
            let label = |catch: &Catch| match *catch {
                Catch::One { label, .. }
                | Catch::OneRef { label, .. }
                | Catch::All { label }
                | Catch::AllRef { label } => label,
            };
            // Counted from outside of the block.
            try_table.catches.iter().map(label).collect()
        }
        _ => Vec::new(),
    }
}

fn begins_block(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. }
    )
}

fn is_call(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
    )
}

/// Whether the operator alone may take as long as a memory or a table is large.
fn is_unbounded(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. }
            | Operator::MemoryGrow { .. }
            | Operator::TableCopy { .. }
            | Operator::TableFill { .. }
            | Operator::TableInit { .. }
            | Operator::TableGrow { .. }
    )
}
