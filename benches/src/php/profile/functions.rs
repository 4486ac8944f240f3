//! The functions of a compiled module, by their places in its code.

use std::collections::HashMap;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol};
use wasmparser::{KnownCustom, Name, Parser, Payload};

pub(crate) struct Functions {
    /// Where each begins, counted from the start of the code; sorted.
    starts: Vec<(u64, String)>,
    /// Where the code begins in its file.
    code_offset: u64,
}

impl Functions {
    /// `code` is what `wasm-precompile --output` writes, `named` the same module with a name section.
    pub(crate) fn of(code: &[u8], named: &[u8]) -> Result<Self> {
        let names = names(named)?;
        let elf = ElfFile64::<object::Endianness>::parse(code).context("not compiled code")?;
        let text = elf.section_by_name(".text").context("no machine code")?;
        let (code_offset, _) = text.file_range().context("no machine code")?;
        let mut starts: Vec<_> = elf
            .symbols()
            .filter(|symbol| symbol.size() > 0)
            .map(|symbol| {
                (
                    symbol.address(),
                    told(symbol.name().unwrap_or_default(), &names),
                )
            })
            .collect();
        starts.sort();
        Ok(Self {
            starts,
            code_offset,
        })
    }

    /// The function at this offset of the file of the code.
    pub(crate) fn name(&self, offset: u64) -> &str {
        let at = offset.saturating_sub(self.code_offset);
        let after = self.starts.partition_point(|(start, _)| *start <= at);
        let found = after.checked_sub(1).map(|index| &self.starts[index]);
        found.map_or("unknown", |(_, name)| name)
    }
}

/// Wasmtime calls a function `wasm[0]::function[7]`, and what it adds itself otherwise.
fn told(symbol: &str, names: &HashMap<u32, String>) -> String {
    let number = symbol
        .split_once("::function[")
        .and_then(|(_, rest)| rest.split_once(']'))
        .and_then(|(number, _)| number.parse().ok());
    let name = number.and_then(|number: u32| names.get(&number));
    name.map_or(symbol, String::as_str).to_owned()
}

fn names(module: &[u8]) -> Result<HashMap<u32, String>> {
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Name(subsections) = section.as_known() else {
            continue;
        };
        for subsection in subsections {
            if let Name::Function(functions) = subsection? {
                for function in functions {
                    let function = function?;
                    names.insert(function.index, function.name.to_owned());
                }
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_the_function_that_begins_before_it() {
        let functions = Functions {
            starts: vec![(0, "one".to_owned()), (16, "two".to_owned())],
            code_offset: 4096,
        };
        let names = [4096, 4111, 4112, 9999].map(|offset| functions.name(offset));
        assert_eq!(names, ["one", "one", "two", "two"]);
    }

    #[test]
    fn functions_are_told_by_name_where_they_have_one() {
        let names = HashMap::from([(7, "main".to_owned())]);
        assert_eq!(told("wasm[0]::function[7]", &names), "main");
        assert_eq!(told("wasm[0]::function[8]", &names), "wasm[0]::function[8]");
        assert_eq!(
            told("wasmtime_builtin_memory_copy", &names),
            "wasmtime_builtin_memory_copy"
        );
    }
}
