//! Puts checks into a module: loads from a page that the host takes away when it ends the run. The page is a memory of its own, behind
//! those of the module, so that no instruction of the module can name it.
//!
//! The load is atomic: the compiler takes others out where one like it came before. What is not code is copied as it is: functions,
//! types and names keep their numbers.

mod body;

use crate::artifact::{Checks, PlacesBuilder};
use std::collections::HashSet;
use wasm_encoder::{Encode, ExportKind, Instruction, MemArg, MemoryType, SectionId};
use wasmparser::{FunctionBody, Parser, Payload, Result, TypeRef};

/// What the exports are called, with as many apostrophes as make a name that the module does not use.
const PAGE: &str = "stop page";
const START: &str = "start";

/// Sections in the order that a module has them in.
const ORDER: [SectionId; 12] = [
    SectionId::Type,
    SectionId::Import,
    SectionId::Function,
    SectionId::Table,
    SectionId::Memory,
    SectionId::Tag,
    SectionId::Global,
    SectionId::Export,
    SectionId::Element,
    SectionId::DataCount,
    SectionId::Code,
    SectionId::Data,
];

/// A valid module with checks, and what is to be known of them. It has no start section: what that would call is exported.
pub(super) fn instrument(wasm: &[u8]) -> Result<(Vec<u8>, Checks)> {
    let module = Module::read(wasm)?;
    let mut copy = Copy::new(wasm, &module);
    for payload in Parser::new(0).parse_all(wasm) {
        copy.take(payload?)?;
    }
    let (instrumented, places) = copy.finish();
    let checks = Checks {
        page: module.page,
        start: module.start.map(|(name, _)| name),
        places,
    };
    Ok((instrumented, checks))
}

/// What has to be known before anything is written.
struct Module {
    /// The number of the memory that is added.
    memory: u32,
    page: String,
    /// A name to export the start function by, and its number.
    start: Option<(String, u32)>,
}

impl Module {
    fn read(wasm: &[u8]) -> Result<Self> {
        let (mut memory, mut start, mut names) = (0, None, HashSet::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        memory += u32::from(matches!(import?.ty, TypeRef::Memory(_)));
                    }
                }
                Payload::MemorySection(memories) => memory += memories.count(),
                Payload::ExportSection(exports) => {
                    for export in exports {
                        names.insert(export?.name);
                    }
                }
                Payload::StartSection { func, .. } => start = Some(func),
                _ => {}
            }
        }
        let unused = |name: &str| {
            let mut name = name.to_owned();
            while names.contains(name.as_str()) {
                name.push('\'');
            }
            name
        };
        Ok(Module {
            memory,
            page: unused(PAGE),
            start: start.map(|function| (unused(START), function)),
        })
    }

    fn added_memory(&self) -> Vec<u8> {
        let page = MemoryType {
            minimum: 1,
            maximum: Some(1),
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        let mut entry = Vec::new();
        page.encode(&mut entry);
        entry
    }

    fn added_exports(&self) -> Vec<Vec<u8>> {
        let page = (&self.page, ExportKind::Memory, self.memory);
        let start = self.start.iter();
        let start = start.map(|(name, function)| (name, ExportKind::Func, *function));
        let entry = |(name, kind, index): (&String, ExportKind, u32)| {
            let mut entry = Vec::new();
            name.as_str().encode(&mut entry);
            kind.encode(&mut entry);
            index.encode(&mut entry);
            entry
        };
        [page].into_iter().chain(start).map(entry).collect()
    }

    fn check(&self) -> Vec<u8> {
        let first_byte = MemArg {
            offset: 0,
            align: 0,
            memory_index: self.memory,
        };
        let mut check = Vec::new();
        for instruction in [
            Instruction::I32Const(0),
            Instruction::I32AtomicLoad8U(first_byte),
            Instruction::Drop,
        ] {
            instruction.encode(&mut check);
        }
        check
    }
}

/// The instrumented module as far as it is written.
struct Copy<'a> {
    wasm: &'a [u8],
    module: &'a Module,
    check: Vec<u8>,
    written: Vec<u8>,
    places: PlacesBuilder,
    code: Code,
    /// Sections that are still to be extended or, where the module does not have them, made.
    due: Vec<SectionId>,
}

/// The content of the code section.
#[derive(Default)]
struct Code {
    bodies_left: u32,
    content: Vec<u8>,
    /// Offsets in the file, and in `content`, of pieces that were moved.
    pieces: Vec<(usize, usize)>,
}

impl<'a> Copy<'a> {
    fn new(wasm: &'a [u8], module: &'a Module) -> Self {
        Copy {
            wasm,
            module,
            check: module.check(),
            written: Vec::with_capacity(wasm.len() + wasm.len() / 4),
            places: PlacesBuilder::default(),
            code: Code::default(),
            due: vec![SectionId::Export, SectionId::Memory],
        }
    }

    fn take(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::Version { range, .. } => self.written.extend(&self.wasm[range]),
            Payload::MemorySection(memories) => {
                let entries = memories.original_position()..memories.range().end;
                self.extend(SectionId::Memory, memories.count(), &self.wasm[entries]);
            }
            Payload::ExportSection(exports) => {
                let entries = exports.original_position()..exports.range().end;
                self.extend(SectionId::Export, exports.count(), &self.wasm[entries]);
            }
            Payload::StartSection { .. } => {}
            Payload::CodeSectionStart { count, .. } => {
                self.make_due_before(SectionId::Code);
                self.code.bodies_left = count;
                count.encode(&mut self.code.content);
                self.finish_code();
            }
            Payload::CodeSectionEntry(body) => {
                self.add_body(&body)?;
                self.finish_code();
            }
            Payload::End(_) => self.make_due(ORDER.len()),
            other => {
                if let Some((id, range)) = other.as_section() {
                    if let Some(known) = ORDER.into_iter().find(|known| u8::from(*known) == id) {
                        self.make_due_before(known);
                    }
                    self.section(id, &self.wasm[range]);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> (Vec<u8>, crate::artifact::Places) {
        (self.written, self.places.finish())
    }

    /// Writes a section; returns where its content begins.
    fn section(&mut self, id: u8, content: &[u8]) -> usize {
        self.written.push(id);
        content.encode(&mut self.written);
        self.written.len() - content.len()
    }

    /// Writes a section with the entries that the module has in it and those that are added.
    fn extend(&mut self, id: SectionId, count: u32, entries: &[u8]) {
        self.make_due_before(id);
        self.due.retain(|due| *due != id);
        let added = match id {
            SectionId::Memory => vec![self.module.added_memory()],
            _ => self.module.added_exports(),
        };
        let mut content = Vec::new();
        (count + added.len() as u32).encode(&mut content);
        content.extend(entries);
        content.extend(added.concat());
        self.section(id.into(), &content);
    }

    fn make_due_before(&mut self, id: SectionId) {
        self.make_due(rank(id));
    }

    fn make_due(&mut self, before: usize) {
        while let Some(id) = self.due.pop_if(|id| rank(*id) < before) {
            self.extend(id, 0, &[]);
        }
    }

    fn add_body(&mut self, body: &FunctionBody<'_>) -> Result<()> {
        let checks = body::checks(body)?;
        let range = body.range();
        let size = range.len() + checks.len() * self.check.len();
        let code = &mut self.code;
        (size as u32).encode(&mut code.content);
        let mut at = range.start;
        code.pieces.push((at, code.content.len()));
        for place in checks {
            code.content.extend(&self.wasm[at..place]);
            code.content.extend(&self.check);
            code.pieces.push((place, code.content.len()));
            at = place;
        }
        code.content.extend(&self.wasm[at..range.end]);
        code.bodies_left -= 1;
        Ok(())
    }

    fn finish_code(&mut self) {
        if self.code.bodies_left > 0 {
            return;
        }
        let code = std::mem::take(&mut self.code);
        let start = self.section(SectionId::Code.into(), &code.content);
        for (original, moved) in code.pieces {
            self.places.add(original, start + moved);
        }
    }
}

fn rank(id: SectionId) -> usize {
    let rank = ORDER.iter().position(|known| *known == id);
    rank.unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests;
