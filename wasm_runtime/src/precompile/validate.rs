//! What can be said about a module without compiling it: whether it is valid, and what a server has to know about it.

use crate::artifact::{Facts, Needs};
use crate::engine::features::{SHARED_MEMORIES, name_of};
use crate::error::{Error, Result};
use wasmparser::types::Types;
use wasmparser::{
    BinaryReaderError, CompositeInnerType, Export, ExternalKind, MemoryType, Parser, Payload,
    TableType, TypeRef, Validator, WasmFeatures,
};

/// Validates all of a module.
///
/// # Errors
/// [`Error::Module`], which names the feature where the module uses one that is not among `features`.
pub(super) fn validate(wasm: &[u8], features: WasmFeatures) -> Result<Facts> {
    check_magic(wasm)?;
    let types = Validator::new_with_features(features).validate_all(wasm)?;
    let mut facts = Facts::default();
    for payload in Parser::new(0).parse_all(wasm) {
        note(&mut facts, payload?, &types)?;
    }
    Ok(facts)
}

/// The part of a valid module that ends with its imports: a module itself, with their types and no code. `None`: it imports
/// nothing.
pub(super) fn imports_only(wasm: &[u8]) -> Option<&[u8]> {
    for payload in Parser::new(0).parse_all(wasm).flatten() {
        if let Payload::ImportSection(imports) = payload {
            return wasm.get(..imports.range().end);
        }
    }
    None
}

fn check_magic(wasm: &[u8]) -> Result<()> {
    if wasm.starts_with(b"\0asm") {
        return Ok(());
    }
    let what = match wasm {
        [] => "the file is empty",
        [b'(', ..] => "this is the text format; assemble it first (wat2wasm, wasm-tools parse)",
        [0x7f, b'E', b'L', b'F', ..] => "this is an ELF file",
        _ => "it does not begin with \\0asm",
    };
    Err(Error::Module(format!("not a WebAssembly module: {what}")))
}

impl From<BinaryReaderError> for Error {
    fn from(error: BinaryReaderError) -> Self {
        let place = format!("at byte {}", error.offset());
        match error.missing_wasm_feature().and_then(name_of) {
            Some(name) => unsupported(name, &place),
            // Names in it come from the module, and a terminal obeys control characters.
            None => Error::Module(format!(
                "not a valid module: {} ({place})",
                error.message().replace(char::is_control, "?")
            )),
        }
    }
}

fn unsupported(name: &str, place: &str) -> Error {
    Error::Module(format!("{name} are not supported ({place})"))
}

fn note(facts: &mut Facts, payload: Payload<'_>, types: &Types) -> Result<()> {
    match payload {
        Payload::ImportSection(imports) => {
            for import in imports.into_imports_with_offsets() {
                let (offset, import) = import?;
                if let TypeRef::Memory(memory) = import.ty {
                    refuse_shared(&memory, offset)?;
                }
            }
        }
        Payload::MemorySection(memories) => {
            for memory in memories.into_iter_with_offsets() {
                let (offset, memory) = memory?;
                refuse_shared(&memory, offset)?;
                note_memory(facts, &memory);
            }
        }
        Payload::TableSection(tables) => {
            for table in tables {
                note_table(&mut facts.needs, &table?.ty);
            }
        }
        Payload::ExportSection(exports) => {
            for export in exports {
                let export = export?;
                if is_entry_point(&export, types) {
                    facts.entry_points.push(export.name.to_owned());
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Accepting atomic instructions makes the validator accept these.
fn refuse_shared(memory: &MemoryType, offset: usize) -> Result<()> {
    if memory.shared {
        return Err(unsupported(SHARED_MEMORIES, &format!("at byte {offset}")));
    }
    Ok(())
}

fn note_memory(facts: &mut Facts, memory: &MemoryType) {
    let page = 1 << memory.page_size_log2.unwrap_or(16);
    let bytes = memory.initial.saturating_mul(page);
    facts.minimum_memory = facts.minimum_memory.saturating_add(bytes);
    facts.needs.memories += 1;
}

fn note_table(needs: &mut Needs, table: &TableType) {
    let elements = usize::try_from(table.initial).unwrap_or(usize::MAX);
    needs.tables += 1;
    needs.table_elements = needs.table_elements.max(elements);
}

fn is_entry_point(export: &Export<'_>, types: &Types) -> bool {
    if export.kind != ExternalKind::Func {
        return false;
    }
    let id = types.as_ref().core_function_at(export.index);
    match &types[id].composite_type.inner {
        CompositeInnerType::Func(function) => {
            function.params().is_empty() && function.results().is_empty()
        }
        _ => false,
    }
}
