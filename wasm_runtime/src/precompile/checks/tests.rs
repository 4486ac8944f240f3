use super::*;
use crate::engine::features::accepted_flags;
use wasmparser::{Operator, Validator};

/// Instruments a module, and makes sure that what comes out is valid.
fn instrumented(wat: &str) -> (Vec<u8>, Checks) {
    let wasm = wat::parse_str(wat).unwrap();
    let (instrumented, checks) = instrument(&wasm).unwrap();
    valid(&instrumented);
    (instrumented, checks)
}

fn valid(wasm: &[u8]) {
    let validated = Validator::new_with_features(accepted_flags()).validate_all(wasm);
    validated.unwrap();
}

/// The operators of the last function, with one word for each check.
fn operators(wasm: &[u8]) -> Vec<String> {
    let mut last = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else {
            continue;
        };
        last.clear();
        for operator in body.get_operators_reader().unwrap() {
            match operator.unwrap() {
                Operator::I32AtomicLoad8U { .. } => {
                    assert_eq!(last.pop().as_deref(), Some("I32Const"));
                    last.push("check".to_owned());
                }
                Operator::Drop if last.last().is_some_and(|it| it == "check") => {}
                operator => last.push(name(&operator)),
            }
        }
    }
    last
}

fn name(operator: &Operator<'_>) -> String {
    let text = format!("{operator:?}");
    let end = text.find(|character: char| !character.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

/// The operators of the last function of a module with these fields.
fn shape(fields: &str) -> String {
    operators(&instrumented(&format!("(module {fields})")).0).join(" ")
}

fn checks_in(fields: &str) -> usize {
    shape(fields).matches("check").count()
}

#[test]
fn a_branch_back_is_checked_and_one_forward_is_not() {
    assert_eq!(
        shape("(func (loop (br 0)))"),
        "Loop check Br End End",
        "always taken"
    );
    assert_eq!(
        shape("(func (param i32) (loop (br_if 0 (local.get 0))))"),
        "Loop LocalGet check BrIf End End"
    );
    assert_eq!(
        shape("(func (param i32) (block (loop (br_if 1 (local.get 0)) (br 0))))"),
        "Block Loop LocalGet BrIf check Br End End End"
    );
    assert_eq!(
        shape("(func (param i32) (loop (block (br_table 0 1 0 (local.get 0)))))"),
        "Loop Block LocalGet check BrTable End End End"
    );
    assert_eq!(
        shape("(func (param i32) (loop (block (br_table 0 0 1 (local.get 0)))))"),
        "Loop Block LocalGet check BrTable End End End",
        "by default"
    );
    assert_eq!(
        shape("(func (param i32) (block (block (br_table 0 1 0 (local.get 0)))))"),
        "Block Block LocalGet BrTable End End End"
    );
    assert_eq!(
        shape("(func (param i32) (loop (if (local.get 0) (then (br 1)) (else (br 0)))))"),
        "Loop LocalGet If check Br Else Br End End End"
    );
}

#[test]
fn a_loop_that_is_reached_in_another_way_is_checked_itself() {
    assert_eq!(
        shape("(func (loop $l (br_on_null $l (ref.null func)) (drop)))"),
        "Loop check RefNull BrOnNull Drop End End"
    );
    assert_eq!(
        shape(
            "(type $f (func)) (func (param (ref $f)) (local.get 0)
               (loop $l (param (ref $f)) (br_on_non_null $l)))"
        ),
        "LocalGet Loop check BrOnNonNull End End"
    );
    let catches = [
        "catch $e $l",
        "catch_all $l",
        "catch_ref $e $r",
        "catch_all_ref $r",
    ];
    for catch in catches {
        // The loop that keeps the reference has it as a parameter.
        let (name, parameter, first, drop) = match catch.ends_with("$r") {
            true => ("$r", "(param exnref)", "(ref.null exn)", "(drop)"),
            false => ("$l", "", "", ""),
        };
        let shape = shape(&format!(
            "(tag $e) (func {first} (loop {name} {parameter} {drop} (try_table ({catch}) (throw $e)) ))"
        ));
        assert!(shape.contains("Loop check"), "{catch}: {shape}");
        assert_eq!(shape.matches("check").count(), 1, "{catch}: {shape}");
    }
    assert_eq!(
        shape("(tag $e) (func (loop (block $b (try_table (catch_all $b) (throw $e)))))"),
        "Loop Block TryTable Throw End End End End",
        "no way back"
    );
}

#[test]
fn a_function_that_calls_is_checked_where_it_begins() {
    for call in [
        "(call 0)",
        "(return_call 0)",
        "(call_indirect (i32.const 0))",
        "(return_call_indirect (i32.const 0))",
        "(call_ref 0 (ref.func 0))",
        "(return_call_ref 0 (ref.func 0))",
    ] {
        let shape = shape(&format!(
            "(type (func)) (table 1 funcref) (elem declare func 0) (func (type 0) {call})"
        ));
        assert!(shape.starts_with("check "), "{call}: {shape}");
        assert_eq!(shape.matches("check").count(), 1, "{call}: {shape}");
    }
}

#[test]
fn a_leaf_is_checked_when_it_is_long() {
    let leaf = |operators: usize| checks_in(&format!("(func {})", "nop ".repeat(operators)));
    assert_eq!(leaf(0), 0);
    // The end of the function is an operator.
    assert_eq!(leaf(127), 0);
    assert_eq!(leaf(128), 1);
}

#[test]
fn code_without_loops_does_not_go_on_for_long() {
    let long = |piece: &str, count: usize| checks_in(&format!("(func {})", piece.repeat(count)));
    assert_eq!(long("nop ", 4095), 1);
    assert_eq!(long("nop ", 3 * 4096), 4);
    // A call of a small function counts as that.
    assert_eq!(long("(call 0) ", 31), 1);
    assert_eq!(long("(call 0) ", 63), 2);
    // Of two ways, the longer one counts.
    let nops = "nop ".repeat(3000);
    let ways = |one: &str, other: &str| {
        checks_in(&format!(
            "(func (param i32) (if (local.get 0) (then {one}) (else {other})) {nops})"
        ))
    };
    assert_eq!((ways("", ""), ways(&nops, ""), ways("", &nops)), (1, 2, 2));
    // Nor do checks count that somebody may go around.
    let back = format!(
        "(func (param i32) {nops} (block (br_if 0 (local.get 0)) (loop (br_if 0 (local.get 0)))) {nops})"
    );
    assert_eq!(checks_in(&back), 3);
}

#[test]
fn what_takes_as_long_as_a_memory_is_large_is_checked() {
    for operator in [
        "(memory.copy (i32.const 0) (i32.const 0) (i32.const 0))",
        "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))",
        "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (memory.grow (i32.const 0)))",
        "(table.copy (i32.const 0) (i32.const 0) (i32.const 0))",
        "(table.fill 0 (i32.const 0) (ref.null func) (i32.const 0))",
        "(table.init 0 (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (table.grow 0 (ref.null func) (i32.const 0)))",
    ] {
        let fields = "(memory 1) (data \"\") (table 1 funcref) (elem func)";
        assert_eq!(checks_in(&format!("{fields} (func {operator})")), 1);
    }
}

/// What is not handled must stay refused.
#[test]
fn no_other_way_back_is_accepted() {
    use wasmparser::WasmFeatures as F;
    let others = F::GC | F::LEGACY_EXCEPTIONS | F::STACK_SWITCHING | F::CUSTOM_DESCRIPTORS;
    assert!(!accepted_flags().intersects(others));
}

#[test]
fn the_page_is_a_memory_behind_those_of_the_module() {
    for (fields, memory) in [
        ("", 0),
        ("(func (export \"f\"))", 0),
        ("(memory 1) (memory 2 3)", 2),
        ("(import \"m\" \"m\" (memory 1)) (memory 1)", 2),
        (
            "(type (func)) (tag) (global i32 (i32.const 0)) (table 1 funcref)",
            0,
        ),
        ("(table 1 funcref) (elem (i32.const 0) func)", 0),
        ("(memory 1) (data (i32.const 0) \"x\")", 1),
    ] {
        let (wasm, checks) = instrumented(&format!("(module {fields})"));
        let exports = exports(&wasm);
        assert!(
            exports.contains(&(checks.page.clone(), memory)),
            "{fields}: {exports:?}"
        );
        assert_eq!(checks.start, None);
    }
}

fn exports(wasm: &[u8]) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ExportSection(exports) = payload.unwrap() {
            let exports = exports.into_iter().map(|export| export.unwrap());
            found.extend(exports.map(|export| (export.name.to_owned(), export.index)));
        }
    }
    found
}

#[test]
fn the_start_function_is_exported_instead_and_no_name_is_taken() {
    let (wasm, checks) = instrumented(
        r#"(module (func) (func $s) (start $s) (func (export "start")) (func (export "stop page"))
             (func (export "stop page'")))"#,
    );
    let start = checks.start.unwrap();
    assert_eq!(
        (start.as_str(), checks.page.as_str()),
        ("start'", "stop page''")
    );
    assert!(exports(&wasm).contains(&(start, 1)));
    let mut payloads = Parser::new(0).parse_all(&wasm);
    assert!(!payloads.any(|it| matches!(it.unwrap(), Payload::StartSection { .. })));
}

#[test]
fn all_that_is_no_code_is_the_same() {
    let wasm = wat::parse_str(
        r#"(module (@custom "first" (before first) "1") (type (func (param i32)))
             (import "m" "f" (func (type 0))) (table 1 funcref) (memory 1) (tag) (global i32 (i32.const 7))
             (elem (i32.const 0) func $g) (func $g (type 0)) (data (i32.const 0) "data") (@custom "last" "2"))"#,
    )
    .unwrap();
    let (instrumented, _) = instrument(&wasm).unwrap();
    valid(&instrumented);
    let rest = |wasm: &[u8]| -> Vec<(u8, Vec<u8>)> {
        let payloads = Parser::new(0).parse_all(wasm);
        let sections = payloads.filter_map(|it| it.unwrap().as_section());
        let changed = [SectionId::Memory, SectionId::Export, SectionId::Code].map(u8::from);
        let sections = sections.filter(|(id, _)| !changed.contains(id));
        sections
            .map(|(id, range)| (id, wasm[range].to_vec()))
            .collect()
    };
    assert_eq!(rest(&instrumented), rest(&wasm));
    assert!(rest(&wasm).len() > 8);
}

/// Offsets in the file of the operators of a module that are no checks.
fn offsets(wasm: &[u8]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else {
            continue;
        };
        let operators = body.get_operators_reader().unwrap();
        let (mut in_check, start) = (false, found.len());
        for operator in operators.into_iter_with_offsets() {
            let (operator, offset) = operator.unwrap();
            match operator {
                Operator::I32AtomicLoad8U { .. } => {
                    assert!(found.len() > start);
                    found.pop();
                    in_check = true;
                }
                Operator::Drop if in_check => in_check = false,
                _ => found.push(offset),
            }
        }
    }
    found
}

#[test]
fn each_operator_is_found_where_the_file_has_it() {
    let mut wasm = wat::parse_str(format!(
        r#"(module (memory 1) (func (export "f") (loop (call 2) (br 0))) (func (param i32) {} (loop (br_if 0 (local.get 0))))
             (func) (func (loop (br 0))) (func (drop (memory.grow (i32.const 1)))))"#,
        "nop ".repeat(9000)
    ))
    .unwrap();
    check_offsets(&wasm);
    // Linkers write sizes with more digits than they need: here that of the first section.
    let size = wasm[9];
    wasm.splice(9..10, [size | 0x80, 0x80, 0x80, 0x80, 0]);
    check_offsets(&wasm);
}

fn check_offsets(wasm: &[u8]) {
    let (instrumented, checks) = instrument(wasm).unwrap();
    valid(&instrumented);
    let found = checks.places.originals(&offsets(&instrumented));
    let expected: Vec<_> = offsets(wasm).into_iter().map(Some).collect();
    assert_eq!(found, expected);
}
